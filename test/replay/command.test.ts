import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { compareCommand } from "../../src/cli/compare.js";
import { replayCommand } from "../../src/cli/replay.js";
import type { Summary } from "../../src/measure/summary.js";
import { likeVllm, ScriptedEngine, sendJson } from "../proxy/support/scripted-engine.js";

let folder: string;
let engine: ScriptedEngine;
let printed: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pdbench-replay-"));
  engine = await ScriptedEngine.start();
  engine.script = (request, res) =>
    request.url === "/v1/models" ? sendJson(res, 200, '{"data":[{"id":"served"}]}') : likeVllm(request, res);
  printed = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await engine.close();
  await rm(folder, { recursive: true });
});

async function trace(): Promise<string> {
  const file = join(folder, "trace.jsonl");
  const line = (i: number) => ({
    arrival_s: i / 100,
    input_tokens: 32,
    output_tokens: 3,
    block_ids: [0, i + 1],
    block_tokens: 16,
    session: "a",
  });
  await writeFile(file, Array.from({ length: 6 }, (_, i) => `${JSON.stringify(line(i))}\n`).join(""));
  return file;
}

function replay(...args: string[]): Promise<unknown> {
  const command = replayCommand()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  return command.parseAsync([...args, "--url", engine.url], { from: "user" });
}

describe("pdbench replay", () => {
  it("writes a run directory as simulate does, and what the client itself measured", async () => {
    const out = join(folder, "live");
    // Limits that no machine misses, however busy.
    await replay(
      await trace(),
      "--requests",
      "5",
      "--goodput",
      "ttft:60000",
      "tpot:50000",
      "--out",
      out,
      "--json",
    );
    const summary = JSON.parse(printed) as Summary;
    expect(summary).toMatchObject({
      schema: "pdbench/summary@1",
      requests: { total: 5, completed: 5 },
      goodput: { slo: { ttft_ms: 60_000, tpot_ms: 50_000, e2e_ms: null }, attainment: 1 },
      settings: { replay: { model: "served", endpoint: "completions", prompt: "ids" } },
    });
    expect(JSON.parse(await readFile(join(out, "summary.json"), "utf8"))).toEqual(summary);
    const rows = (await readFile(join(out, "requests.csv"), "utf8")).trim().split("\n");
    expect(rows).toHaveLength(6);
    const client = JSON.parse(await readFile(join(out, "replay.json"), "utf8")) as Record<string, unknown>;
    expect(client).toMatchObject({ schema: "pdbench/replay@1", sent: 5, failures: {} });
    expect(await readFile(join(out, "scenario.yaml"), "utf8")).toContain("requests: 5");
  });

  it("prints the same table as simulate, and says what is only known live", async () => {
    await replay(await trace(), "--concurrency", "2", "--endpoint", "chat", "--model", "m");
    expect(printed).toMatch(/TTFT +\d/);
    expect(printed).toContain("Note: Live: latencies count from when a request was due");
    const sent = engine.seen.filter(({ method }) => method === "POST");
    expect(sent.every(({ url, json }) => url === "/v1/chat/completions" && json!["model"] === "m")).toBe(
      true,
    );
  });

  it.each([
    ["a server that is not vLLM's", "me", [], undefined],
    ["vLLM", "vllm", [], true],
    ["vLLM, the model named", "vllm", ["--model", "served"], true],
    ["vLLM that has no such model", "vllm", ["--model", "other"], undefined],
    ["vLLM, told not to", "vllm", ["--token-ids", "never"], undefined],
    ["any server, told to", "me", ["--model", "m", "--token-ids", "always"], true],
  ])("asks for token ids where there are any: %s", async (_, owner, flags, asked) => {
    engine.script = (request, res) =>
      request.url === "/v1/models"
        ? sendJson(res, 200, `{"data":[{"id":"served","owned_by":"${owner}"}]}`)
        : likeVllm(request, res);
    await replay(await trace(), "--requests", "1", "--json", ...flags);
    expect(engine.seen.at(-1)!.json!["return_token_ids"]).toBe(asked);
    expect(JSON.parse(printed)).toMatchObject({ settings: { replay: { token_ids: asked === true } } });
  });

  it("sends a header and a key when it is told to", async () => {
    vi.stubEnv("OPENAI_API_KEY", "k");
    await replay(await trace(), "--requests", "1", "--header", "X-Tenant: t");
    vi.unstubAllEnvs();
    expect(engine.seen.at(-1)!.headers).toMatchObject({ authorization: "Bearer k", "x-tenant": "t" });
  });

  it.each([
    [["--goodput", "itl:5"], /expected ttft:MS/],
    [["--token-range", "5"], /expected LOW:HIGH/],
    [["--header", "x"], /expected NAME:VALUE/],
    [["--requests", "0"], /expected a whole number of at least 1/],
    [["--rate", "-1"], /expected a number above 0/],
    [["--rate", "2", "--concurrency", "2"], /closed loop has no rate/],
    [["--scenario", "no-such"], /no such scenario/],
  ])("refuses %j", async (args, message) => {
    await expect(replay(await trace(), ...args)).rejects.toThrow(message);
  });

  it("needs a server that lists its models, or the name of one", async () => {
    engine.script = (_, res) => sendJson(res, 404, "{}");
    await expect(replay(await trace())).rejects.toThrow(
      /v1\/models: status 404; expected a server that lists its models there/,
    );
  });
});

describe("pdbench compare", () => {
  const compare = (...args: string[]) =>
    compareCommand()
      .exitOverride()
      .configureOutput({ writeErr: () => undefined })
      .parseAsync(args, { from: "user" });

  it("prints two runs side by side, as a table and as JSON", async () => {
    const file = await trace();
    for (const name of ["a", "b"]) await replay(file, "--out", join(folder, name));
    printed = "";
    await compare(join(folder, "a"), join(folder, "b", "summary.json"));
    expect(printed).toMatch(/TTFT mean \(ms\)/);
    printed = "";
    await compare(join(folder, "a"), join(folder, "b"), "--json");
    const { figures } = JSON.parse(printed) as { figures: { figure: string }[] };
    expect(figures.map(({ figure }) => figure)).toContain("hit rate");
  });

  it.each([
    ["what is not there", "nowhere", /no summary\.json there/],
    ["what is no summary", "trace.json", /not the summary of a run/],
  ])("refuses %s", async (_, name, message) => {
    await writeFile(join(folder, "trace.json"), "{}");
    await expect(compare(join(folder, name), join(folder, name))).rejects.toThrow(message);
  });
});
