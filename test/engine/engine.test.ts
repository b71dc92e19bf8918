import { describe, expect, it } from "vitest";
import { createEngine } from "../../src/engine/engine.js";
import type { EngineListener, LegRequest } from "../../src/engine/types.js";
import { anEngineConfig, aRequest, aSpan, TEN_MS_STEPS } from "./builders.js";
import { drive } from "./driver.js";

const SILENT: EngineListener = {
  onScheduled: () => undefined,
  onKvReadStart: () => undefined,
  onFirstToken: () => undefined,
  onPreempted: () => undefined,
  onFinished: () => undefined,
  onTokenGaps: () => undefined,
};

describe.each(["plain", "fast"] as const)("a %s engine", (time) => {
  it("sleeps until it is told something", () => {
    const engine = createEngine(anEngineConfig(), TEN_MS_STEPS, SILENT, time);
    expect(engine.nextEventMs()).toBe(Infinity);
    engine.submit(aRequest(0), 5);
    expect(engine.nextEventMs()).toBe(5);
    engine.advance(1000);
    expect(engine.nextEventMs()).toBe(Infinity);
    expect(engine.blocksInUse()).toBe(0);
  });

  it.each([
    { what: "at a boundary acts at it", atMs: 30, scheduledMs: 30 },
    { what: "just after a boundary acts at the next", atMs: 30.001, scheduledMs: 40 },
  ])("takes an arrival: one that comes $what", ({ atMs, scheduledMs }) => {
    const { events } = drive({
      config: anEngineConfig(),
      stepTime: TEN_MS_STEPS,
      time,
      submissions: [
        { atMs: 0, request: aRequest(0) },
        { atMs, request: aRequest(1) },
      ],
    });
    expect(events.get(1)![0]).toMatchObject({ what: "scheduled", atMs: scheduledMs });
  });

  it("shows running, waiting and KV usage as of the moment asked for", () => {
    const config = anEngineConfig({ numGpuBlocks: 11, maxNumSeqs: 1 });
    const submissions = [
      { atMs: 0, request: aRequest(0, { promptTokens: 30, outputTokens: 40 }) },
      { atMs: 1, request: aRequest(1) },
    ];
    // 31 tokens have KV in the second step, 33 in the fourth.
    const { gauges } = drive({
      config,
      submissions,
      stepTime: TEN_MS_STEPS,
      time,
      gaugesAtMs: [0, 5, 15, 35],
    });
    expect(gauges).toEqual([
      { running: 0, waiting: 1, kvUsage: 0 },
      { running: 1, waiting: 1, kvUsage: 1 - 8 / 10 },
      { running: 1, waiting: 1, kvUsage: 1 - 8 / 10 },
      { running: 1, waiting: 1, kvUsage: 1 - 7 / 10 },
    ]);
  });

  it("ignores an abort of an id it does not know", () => {
    const engine = createEngine(anEngineConfig(), TEN_MS_STEPS, SILENT, time);
    engine.abort(7, 3);
    expect(engine.nextEventMs()).toBe(Infinity);
  });

  it("counts prompt and hit tokens once per request, at its first admission", () => {
    const content = aSpan(16, [[0, 7]]);
    const { engine } = drive({
      config: anEngineConfig({ numGpuBlocks: 12 }),
      stepTime: TEN_MS_STEPS,
      time,
      submissions: [
        { atMs: 0, request: aRequest(0, { content, outputTokens: 60 }) },
        { atMs: 5, request: aRequest(1, { content, outputTokens: 60 }) },
      ],
    });
    const { preemptions, promptTokens, hitTokens } = engine.totals();
    expect(preemptions).toBeGreaterThan(0);
    expect([promptTokens, hitTokens]).toEqual([200, 96]);
  });
});

describe("a request is rejected", () => {
  const engine = (overrides = {}) =>
    createEngine(anEngineConfig({ numGpuBlocks: 9, ...overrides }), TEN_MS_STEPS, SILENT, "fast");

  it.each([
    { promptTokens: 100, outputTokens: 29, rejected: false },
    { promptTokens: 100, outputTokens: 30, rejected: true },
    { promptTokens: 128, outputTokens: 1, rejected: false },
    { promptTokens: 129, outputTokens: 1, rejected: true },
  ])("if it needs more KV than there is: $promptTokens in, $outputTokens out", ({ rejected, ...lengths }) => {
    expect(engine().reject(aRequest(0, lengths)) !== null).toBe(rejected);
  });

  it.each([
    { promptTokens: 99, rejected: false },
    { promptTokens: 100, rejected: true },
  ])("if its prompt of $promptTokens does not stay below max_model_len 100", ({ promptTokens, rejected }) => {
    expect(engine({ maxModelLen: 100 }).reject(aRequest(0, { promptTokens })) !== null).toBe(rejected);
  });

  it("if it could never be computed in one step without chunked prefill", () => {
    const unchunked = engine({ enableChunkedPrefill: false, maxNumBatchedTokens: 64 });
    expect(unchunked.reject(aRequest(0, { promptTokens: 60, outputTokens: 5 }))).toBeNull();
    expect(unchunked.reject(aRequest(0, { promptTokens: 60, outputTokens: 6 }))).toMatch(/64.*chunked/);
  });
});

describe("a fast engine with async scheduling", () => {
  /** The instants at which an engine acts by itself until it rests. */
  const actsAtMs = (time: "fast" | "plain", request: LegRequest): number[] => {
    const config = anEngineConfig({ asyncScheduling: true });
    const engine = createEngine(config, TEN_MS_STEPS, SILENT, time);
    engine.submit(request, 0);
    const instants: number[] = [];
    for (let atMs = 0; atMs < Infinity; atMs = engine.nextEventMs()) {
      instants.push(atMs);
      engine.advance(atMs);
    }
    return instants;
  };

  it("passes over the end of a chunk that yields nothing", () => {
    const twoChunks = aRequest(0, { promptTokens: 3000, outputTokens: 1, kvRole: "remote_decode" });
    expect(actsAtMs("plain", twoChunks)).toEqual([0, 10, 20]);
    expect(actsAtMs("fast", twoChunks)).toEqual([0, 20]);
  });

  it("runs from the first token to the last", () => {
    expect(actsAtMs("plain", aRequest(0))).toHaveLength(11);
    expect(actsAtMs("fast", aRequest(0))).toEqual([0, 100]);
  });
});
