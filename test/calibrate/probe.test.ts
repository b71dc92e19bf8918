import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { probePlan, probePrompt } from "../../src/calibrate/probe/probe-plan.js";
import { runProbe } from "../../src/calibrate/probe/run-probe.js";
import { InputError, WorkError } from "../../src/errors.js";

const LIMITS = { maxRequests: 12, maxSeconds: 60, maxModelLen: 512 };

describe("probePlan", () => {
  it("stays within its requests and the longest request", () => {
    const stages = probePlan({ maxRequests: 100, maxSeconds: 60, maxModelLen: 2048 });
    const requests = stages.reduce((sum, stage) => sum + stage.concurrency, 0);
    expect(requests).toBeLessThanOrEqual(100);
    expect(Math.max(...stages.map((stage) => stage.promptTokens + stage.outputTokens))).toBeLessThanOrEqual(
      2048,
    );
  });

  it("crosses prompt lengths with batch sizes", () => {
    const stages = probePlan({ maxRequests: 1000, maxSeconds: 60, maxModelLen: 8192 }).slice(1);
    const seen = new Set(stages.map((stage) => `${stage.promptTokens} x ${stage.concurrency}`));
    expect(seen.size).toBe(4 * 4);
  });
});

describe("probePrompt", () => {
  it("differs from the first word on, so that no prompt finds another's prefix", () => {
    const first = [1, 2, 3].map((number) => probePrompt(number, 50).split(" ")[0]);
    expect(new Set(first).size).toBe(3);
    expect(probePrompt(1, 50)).toBe(probePrompt(1, 50));
  });
});

const METRICS =
  'vllm:cache_config_info{block_size="16",enable_prefix_caching="True",num_gpu_blocks="777"} 1.0\n';

/** Answers as vLLM does, at once. */
function vllm(change: { models?: object; usage?: object | null; status?: number } = {}): Server {
  return createServer((request, response) => {
    if (request.url === "/metrics") return response.end(METRICS);
    if (request.url === "/v1/models") {
      return response.end(JSON.stringify(change.models ?? { data: [{ id: "Llama-3.1-8B" }] }));
    }
    response.statusCode = change.status ?? 200;
    let body = "";
    request.on("data", (bytes: Buffer) => (body += bytes.toString()));
    request.on("end", () => {
      const { prompt, max_tokens } = JSON.parse(body) as { prompt: string; max_tokens: number };
      for (let i = 0; i < max_tokens; i++) response.write('data: {"choices":[{"text":"a"}]}\n\n');
      const prompt_tokens = prompt.split(" ").length;
      const usage =
        change.usage === undefined ? { prompt_tokens, completion_tokens: max_tokens } : change.usage;
      response.end(`data: ${JSON.stringify({ choices: [], usage })}\n\ndata: [DONE]\n\n`);
    });
    return undefined;
  });
}

describe("runProbe", () => {
  let server: Server | null = null;

  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
    server = null;
  });

  async function serve(started: Server): Promise<string> {
    server = started;
    await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
  }

  it("measures every stage but the first, and asks the server what it is", async () => {
    const stages: number[] = [];
    const url = await serve(vllm());
    const { run, workload, warnings } = await runProbe(url, LIMITS, (stage) =>
      stages.push(stage.concurrency),
    );
    expect(stages).toEqual([1, 1, 4, 1, 4]);
    expect(run.requests.count).toBe(10);
    expect(workload.count).toBe(10);
    expect(run.settings).toMatchObject({ model: "Llama-3.1-8B", numGpuBlocks: 777, blockSize: 16 });
    expect(run.requests.outputTokens.every((tokens) => tokens === 48)).toBe(true);
    expect(run.requests.ttftMs.every((ms) => ms > 0)).toBe(true);
    expect(warnings).toEqual([]);
  });

  it("takes a URL that ends in /v1", async () => {
    const url = await serve(vllm());
    expect((await runProbe(`${url}/v1`, LIMITS, () => undefined)).run.requests.count).toBe(10);
  });

  it("stops when its time is over", async () => {
    const url = await serve(vllm());
    await expect(runProbe(url, { ...LIMITS, maxSeconds: 1e-9 }, () => undefined)).rejects.toThrow(
      /no stage of the probe was measured in time/,
    );
  });

  it.each([
    ["serves no model", { models: { data: [] } }, /\/v1\/models: lists no model/],
    ["fails", { status: 500 }, /\/v1\/completions: status 500, expected 200/],
    ["does not count its tokens", { usage: null }, /no tokens or no usage/],
  ])("says so where the server %s", async (_, change, message) => {
    const probe = runProbe(await serve(vllm(change)), LIMITS, () => undefined);
    await expect(probe).rejects.toThrow(WorkError);
    await expect(probe).rejects.toThrow(message);
  });

  it("says so where nobody listens, and of what is no URL", async () => {
    await expect(runProbe("http://127.0.0.1:1", LIMITS, () => undefined)).rejects.toThrow(WorkError);
    await expect(runProbe("localhost:8000", LIMITS, () => undefined)).rejects.toThrow(InputError);
  });
});
