import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { blockHashes } from "../../src/proxy/trace-recorder.js";
import { readTrace } from "../../src/workload/read-trace.js";
import { post, startFleet } from "./support/fleet.js";
import { sendJson } from "./support/scripted-engine.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pdbench-record-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

interface Line {
  readonly arrival_s: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly block_ids: number[];
  readonly session: string | null;
  readonly cancel_after_s: number | null;
}

describe("a recorded trace", () => {
  it.each(["trace.jsonl", "trace.jsonl.gz"])("is what simulate, sweep and replay read (%s)", async (name) => {
    const record = join(folder, name);
    const fleet = await startFleet({ options: { record } });
    const ids = (count: number, last: number) => [...Array.from({ length: count - 1 }, (_, i) => i), last];
    const secret = "my secret prompt ".repeat(20);
    const bodies = [
      { prompt: ids(40, 1), max_tokens: 4, stream: true, user: "ann@example.org" },
      { prompt: ids(40, 2), max_tokens: 3, user: "bob@example.org" },
      { prompt: secret, max_tokens: 2, stream: true, stream_options: { include_usage: true } },
      { prompt: ids(40, 1), max_tokens: 1, user: "ann@example.org" },
    ];
    for (const body of bodies) await (await post(`${fleet.url}/v1/completions`, body)).text();
    await (await post(`${fleet.url}/tokenize`, "{}")).text();
    await fleet.proxy.close();

    const trace = await readTrace(record);
    expect(trace.count).toBe(4);
    if (name.endsWith(".gz")) return;
    const text = await readFile(record, "utf8");
    const lines = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Line);
    expect(lines.map(({ output_tokens }) => output_tokens)).toEqual([4, 3, 2, 1]);
    // The scripted engines report 8 prompt tokens; the first stream has no usage, so there it is the ids.
    expect(lines.map(({ input_tokens }) => input_tokens)).toEqual([40, 8, 8, 8]);
    expect(lines[0]!.block_ids).toHaveLength(3);
    expect(lines[1]!.block_ids).toEqual(lines[0]!.block_ids.slice(0, 1));
    expect(lines.map(({ session }) => session)).toEqual(["s0", "s1", null, "s0"]);
    expect(lines[0]!.arrival_s).toBe(0);
    expect(text).not.toMatch(/secret|example/);
  });

  it("tells when a client gave up, and leaves failed requests in", async () => {
    const record = join(folder, "trace.jsonl");
    const fleet = await startFleet({ options: { record } });
    fleet.prefill[0]!.script = () => undefined;
    const arrived = fleet.prefill[0]!.next();
    const controller = new AbortController();
    const gone = post(`${fleet.url}/v1/completions`, { prompt: "abcd" }, {}, controller.signal);
    const { aborted } = await arrived;
    controller.abort();
    await expect(gone).rejects.toThrow();
    await aborted;
    fleet.prefill[0]!.script = (_, res) => sendJson(res, 500, "{}");
    await post(`${fleet.url}/v1/completions`, { prompt: "abcd" });
    await fleet.proxy.close();
    const lines = (await readFile(record, "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Line);
    expect(lines).toHaveLength(2);
    expect(lines[0]!.cancel_after_s).toBeGreaterThan(0);
    expect(lines[1]).toMatchObject({ cancel_after_s: null, output_tokens: 0, input_tokens: 1 });
  });
});

describe("block hashes", () => {
  const key = (symbols: number[]) => ({
    symbols: Int32Array.from(symbols),
    length: symbols.length,
    unitsPerSymbol: 1,
    totalUnits: symbols.length,
  });
  const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);

  it("are equal for equal blocks and only for those", () => {
    const [a, b, c] = blockHashes(key([...range(0, 16), ...range(0, 16), ...range(1, 16)]), 16);
    expect(a).toBe(b);
    expect(c).not.toBe(a);
    expect(blockHashes(key(range(0, 15)), 16)).not.toEqual([a]);
  });

  it("are whole numbers below 2^53 without collisions among many", () => {
    const hashes = blockHashes(key(range(0, 200_000)), 2);
    expect(hashes.every((hash) => Number.isSafeInteger(hash) && hash >= 0)).toBe(true);
    expect(new Set(hashes).size).toBe(100_000);
  });
});
