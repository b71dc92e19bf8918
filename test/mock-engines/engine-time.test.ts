import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEngine } from "../../src/engine/engine.js";
import type { Engine, EngineListener } from "../../src/engine/types.js";
import { emptySpan } from "../../src/values/block-span.js";
import { liveFleet, scenarioOf } from "../../mock-engines/live-workers.js";
import type { MockFleet } from "../../mock-engines/start-mock-engines.js";
import { decodeOf, freshIds, get, metric, post, SETTINGS, startFleet } from "./fleet.js";

/** First and last token of one request on an idle engine, ms from its arrival. */
function modelled(promptTokens: number, outputTokens: number): { ttftMs: number; e2eMs: number } {
  const { worker } = liveFleet(scenarioOf(SETTINGS)).workers.find(({ role }) => role === "decode")!;
  const times = { ttftMs: NaN, e2eMs: NaN };
  const listener: EngineListener = {
    onScheduled: () => undefined,
    onKvReadStart: () => undefined,
    onFirstToken: (_id, atMs) => (times.ttftMs = atMs),
    onPreempted: () => undefined,
    onFinished: (_id, atMs) => (times.e2eMs = atMs),
    onTokenGaps: () => undefined,
  };
  const engine: Engine = createEngine(worker.engine, worker.stepTime, listener, "plain");
  const content = emptySpan(worker.engine.blockSize);
  engine.submit({ id: 0, promptTokens, outputTokens, content, priority: 0, kvRole: "local" }, 0);
  while (Number.isNaN(times.e2eMs)) engine.advance(engine.nextEventMs());
  return times;
}

describe("the time of a mock engine", () => {
  let fleet: MockFleet;

  beforeAll(async () => {
    fleet = await startFleet();
  });

  afterAll(() => fleet.close());

  it.each([
    [10, 1],
    [4000, 1],
    [20_000, 50],
  ])("is that of the engine model, to the nanosecond (%d tokens in, %d out)", async (input, output) => {
    const engine = decodeOf(fleet);
    const sum = async (name: string): Promise<number> =>
      metric((await get(engine, "/metrics")).text, `vllm:${name}_sum`)! * 1000;
    const before = [await sum("time_to_first_token_seconds"), await sum("e2e_request_latency_seconds")];
    await post(engine, "/v1/completions", { prompt: freshIds(input), max_tokens: output });
    const after = [await sum("time_to_first_token_seconds"), await sum("e2e_request_latency_seconds")];
    const { ttftMs, e2eMs } = modelled(input, output);
    expect(after[0]! - before[0]!).toBeCloseTo(ttftMs, 6);
    expect(after[1]! - before[1]!).toBeCloseTo(e2eMs, 6);
  });
});
