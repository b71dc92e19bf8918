import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { startProxy } from "../../src/proxy/server.js";
import { post, proxyOptions } from "./support/fleet.js";
import { ScriptedEngine, sendJson } from "./support/scripted-engine.js";

const folder = mkdtempSync(join(tmpdir(), "pdbench-log-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the request log", () => {
  it("has one line for each request, and nothing that is the client's", async () => {
    const engines = [await ScriptedEngine.start(), await ScriptedEngine.start()] as const;
    const [prefill, decode] = engines;
    const requestLog = join(folder, "requests.jsonl");
    const proxy = await startProxy({ ...proxyOptions([prefill], [decode]), requestLog });
    const headers = {
      authorization: "Bearer secret-key",
      "x-session-id": "secret-session",
      "x-request-id": "r1",
    };
    await (
      await post(`${proxy.url}/v1/completions`, { prompt: "secret prompt", max_tokens: 2 }, headers)
    ).text();
    decode.script = (_, res) => sendJson(res, 503, "{}");
    await (await post(`${proxy.url}/v1/completions`, { prompt: "secret prompt", n: 2 })).text();
    await proxy.close();
    const text = readFileSync(requestLog, "utf8");
    const lines = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatchObject({
      request_id: "r1",
      route: "/v1/completions",
      status: 200,
      outcome: "completed",
      path: "disaggregated",
      branch: "at_or_above_threshold",
      prefill_worker: prefill.url,
      decode_worker: decode.url,
      ttft_ms: expect.any(Number) as number,
      duration_ms: expect.any(Number) as number,
    });
    expect(lines[1]).toMatchObject({
      status: 503,
      outcome: "retryable",
      prefill_worker: null,
      ttft_ms: null,
    });
    expect(text).not.toContain("secret");
    await Promise.all(engines.map((engine) => engine.close()));
  });

  it("that cannot be written is an error that names it", async () => {
    const requestLog = join(folder, "absent", "requests.jsonl");
    const engine = await ScriptedEngine.start();
    await expect(startProxy({ ...proxyOptions([], [engine]), requestLog })).rejects.toThrow(
      /--request-log: cannot write .*requests\.jsonl: ENOENT/,
    );
    await engine.close();
  });
});
