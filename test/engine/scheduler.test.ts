import { describe, expect, it } from "vitest";
import { VLLM_VERSIONS } from "../../src/engine/vllm-versions.js";
import { aRequest, aSpan } from "./builders.js";
import { batchOf, stepsOf } from "./observe.js";

const V011 = VLLM_VERSIONS["0.11"];
const V019 = VLLM_VERSIONS["0.19"];
const MAIN = VLLM_VERSIONS["main-2026-08"];

describe("running requests", () => {
  it("are served in admission order: an older partial prefill before younger decodes", () => {
    const { steps } = stepsOf({ maxNumBatchedTokens: 64, longPrefillTokenThreshold: 40 }, [
      { atMs: 0, request: aRequest(0, { promptTokens: 120 }) },
      { atMs: 0, request: aRequest(1, { promptTokens: 20 }) },
    ]);
    expect(steps.slice(0, 3).map(batchOf)).toEqual([
      [
        [0, 40],
        [1, 20],
      ],
      [
        [0, 40],
        [1, 1],
      ],
      [
        [0, 40],
        [1, 1],
      ],
    ]);
  });

  it("share one token budget; the last one gets what is left", () => {
    const { steps } = stepsOf({ maxNumBatchedTokens: 64 }, [
      { atMs: 0, request: aRequest(0, { promptTokens: 50 }) },
      { atMs: 0, request: aRequest(1, { promptTokens: 50 }) },
      { atMs: 0, request: aRequest(2, { promptTokens: 50 }) },
    ]);
    expect(batchOf(steps[0]!)).toEqual([
      [0, 50],
      [1, 14],
    ]);
    expect(batchOf(steps[1]!)).toEqual([
      [0, 1],
      [1, 36],
      [2, 27],
    ]);
  });

  it("that reach max_model_len end there: a prompt of 127 of 128 gives one token", () => {
    const { events } = stepsOf({ maxModelLen: 128 }, [
      { atMs: 0, request: aRequest(0, { promptTokens: 127 }) },
      { atMs: 0, request: aRequest(1, { promptTokens: 120 }) },
      { atMs: 0, request: aRequest(2, { promptTokens: 118 }) },
    ]);
    const ends = [0, 1, 2].map((id) => events.get(id)!.at(-1)!);
    expect(ends.map(({ tokens, reason }) => [tokens, reason])).toEqual([
      [1, "max_model_len"],
      [8, "max_model_len"],
      [10, "length"],
    ]);
  });
});

describe("a shortage of KV blocks", () => {
  const twoGrowing = [
    { atMs: 0, request: aRequest(0, { promptTokens: 32, outputTokens: 40 }) },
    { atMs: 0, request: aRequest(1, { promptTokens: 32, outputTokens: 40 }) },
  ];

  it("preempts the last of the running list, and that step admits nothing", () => {
    const late = { atMs: 5, request: aRequest(2, { promptTokens: 1, outputTokens: 1 }) };
    const { steps } = stepsOf({ numGpuBlocks: 6, maxNumSeqs: 2 }, [...twoGrowing, late]);
    const step = steps.find(({ preempted }) => preempted.length > 0)!;
    expect(step.preempted).toEqual([1]);
    expect(batchOf(step)).toEqual([[0, 1]]);
    expect(step.waiting).toEqual([1, 2]);
    expect(step.freeScheduled).toBeGreaterThan(0);
  });

  it("lets a request that is itself the last one preempt itself", () => {
    const { steps } = stepsOf({ numGpuBlocks: 6 }, [
      { atMs: 0, request: aRequest(0, { promptTokens: 40, outputTokens: 30 }) },
      { atMs: 0, request: aRequest(1, { promptTokens: 32, outputTokens: 40 }) },
    ]);
    const step = steps.find(({ preempted }) => preempted.length > 0)!;
    expect(step.preempted).toEqual([1]);
    expect(batchOf(step)).toEqual([[0, 1]]);
  });

  it("may leave a step empty; the requests behind the victim go on at once", () => {
    const config = { numGpuBlocks: 11, maxNumBatchedTokens: 100, longPrefillTokenThreshold: 40 };
    const { events, steps } = stepsOf({ ...config, rules: V011, schedulingPolicy: "priority" }, [
      { atMs: 0, request: aRequest(0, { promptTokens: 160, outputTokens: 1, priority: 9 }) },
      { atMs: 1, request: aRequest(1, { promptTokens: 40, outputTokens: 5, priority: 0 }) },
    ]);
    expect(steps.some(({ preempted, tokens }) => preempted.length > 0 && tokens === 0)).toBe(true);
    expect(events.get(1)!.at(-1)).toMatchObject({ what: "finished", atMs: 60 });
  });

  it("puts several victims back in their old order", () => {
    const { steps } = stepsOf(
      { numGpuBlocks: 11, maxNumBatchedTokens: 200, longPrefillTokenThreshold: 100, rules: V011 },
      [
        { atMs: 0, request: aRequest(0, { promptTokens: 140, outputTokens: 2 }) },
        { atMs: 0, request: aRequest(1, { promptTokens: 10, outputTokens: 30 }) },
        { atMs: 0, request: aRequest(2, { promptTokens: 10, outputTokens: 30 }) },
        { atMs: 0, request: aRequest(3, { promptTokens: 10, outputTokens: 30 }) },
      ],
    );
    const step = steps.find(({ preempted }) => preempted.length > 0)!;
    expect(step.preempted).toEqual([3, 2]);
    expect(step.waiting).toEqual([2, 3]);
  });

  it("does not take tokens back: a resumed request computes its outputs again, as one prompt", () => {
    const { steps, events } = stepsOf({ numGpuBlocks: 6, enablePrefixCaching: false }, twoGrowing);
    const resumed = steps.flatMap(({ scheduled }) => scheduled).find(({ kind }) => kind === "resumed")!;
    expect(resumed).toMatchObject({ id: 1, computedBefore: 0, tokens: 33 });
    expect(events.get(1)!.at(-1)).toMatchObject({ what: "finished", tokens: 40 });
  });
});

describe("admission", () => {
  it("is strict head-of-line blocking: a request that fits waits behind one that does not", () => {
    const { events } = stepsOf({ numGpuBlocks: 9 }, [
      { atMs: 0, request: aRequest(0, { promptTokens: 60, outputTokens: 4 }) },
      { atMs: 0, request: aRequest(1, { promptTokens: 100, outputTokens: 4 }) },
      { atMs: 0, request: aRequest(2, { promptTokens: 4, outputTokens: 4 }) },
    ]);
    expect(events.get(2)![0]!.atMs).toBe(events.get(1)![0]!.atMs);
    expect(events.get(2)![0]!.atMs).toBeGreaterThanOrEqual(events.get(0)!.at(-1)!.atMs);
  });

  it.each([
    { version: "0.11", rules: V011, firstScheduledMs: 0 },
    { version: "0.19", rules: V019, firstScheduledMs: 20 },
  ])("under $version wants room for the first chunk or the whole prompt", ({ rules, firstScheduledMs }) => {
    const { events } = stepsOf({ numGpuBlocks: 9, maxNumBatchedTokens: 64, rules }, [
      { atMs: 0, request: aRequest(0, { promptTokens: 40, outputTokens: 2 }) },
      { atMs: 0, request: aRequest(1, { promptTokens: 100, outputTokens: 2 }) },
    ]);
    expect(events.get(1)![0]).toMatchObject({ what: "scheduled", atMs: firstScheduledMs });
  });

  it.each([
    { version: "0.11", rules: V011, order: [0, 2, 1] },
    { version: "0.19", rules: V019, order: [0, 1, 2] },
  ])("without chunked prefill under $version a prompt over the budget lets others by or not", (row) => {
    const { events } = stepsOf({ enableChunkedPrefill: false, maxNumBatchedTokens: 64, rules: row.rules }, [
      { atMs: 0, request: aRequest(0, { promptTokens: 50, outputTokens: 1 }) },
      { atMs: 0, request: aRequest(1, { promptTokens: 60, outputTokens: 1 }) },
      { atMs: 0, request: aRequest(2, { promptTokens: 10, outputTokens: 1 }) },
    ]);
    const order = [0, 1, 2].sort((a, b) => events.get(a)![0]!.atMs - events.get(b)![0]!.atMs);
    expect(order).toEqual(row.order);
  });

  it("in one step lets a follower hit the chunk its leader is being given, and get ahead of it", () => {
    const content = aSpan(16, [[0, 10]]);
    const { steps } = stepsOf({ maxNumBatchedTokens: 96, longPrefillTokenThreshold: 64 }, [
      { atMs: 0, request: aRequest(0, { promptTokens: 160, content }) },
      { atMs: 0, request: aRequest(1, { promptTokens: 160, content }) },
    ]);
    expect(steps[0]!.scheduled.map(({ id, computedBefore, tokens }) => [id, computedBefore, tokens])).toEqual(
      [
        [0, 0, 64],
        [1, 64, 32],
      ],
    );
    expect(steps[1]!.scheduled.map(({ id, computedBefore, tokens }) => [id, computedBefore, tokens])).toEqual(
      [
        [0, 64, 64],
        [1, 96, 32],
      ],
    );
  });

  it("finds generated blocks too, but never the last sampled token", () => {
    const told = aRequest(0, { promptTokens: 30, outputTokens: 18, content: aSpan(16, [[0, 3]]) });
    const next = aRequest(1, { promptTokens: 60, content: aSpan(16, [[0, 4]]) });
    const { events } = stepsOf({}, [
      { atMs: 0, request: told },
      { atMs: 500, request: next },
    ]);
    // 48 tokens are known, 47 computed: two full blocks.
    expect(events.get(1)![0]).toMatchObject({ what: "scheduled", tokens: 32 });
  });
});

describe("the priority policy", () => {
  const priority = { schedulingPolicy: "priority" } as const;

  it("admits by priority, then arrival, then id", () => {
    const { events } = stepsOf({ ...priority, maxNumSeqs: 1 }, [
      { atMs: 0, request: aRequest(9, { priority: 0 }) },
      { atMs: 2, request: aRequest(4, { priority: 1 }) },
      { atMs: 1, request: aRequest(3, { priority: 2 }) },
      { atMs: 3, request: aRequest(6, { priority: 1 }) },
      { atMs: 3, request: aRequest(5, { priority: 1 }) },
    ]);
    const order = [...events.keys()].sort((a, b) => events.get(a)![0]!.atMs - events.get(b)![0]!.atMs);
    expect(order).toEqual([9, 4, 5, 6, 3]);
  });

  it("does not preempt for a place in the batch", () => {
    const { steps } = stepsOf({ ...priority, maxNumSeqs: 1 }, [
      { atMs: 0, request: aRequest(0, { priority: 5 }) },
      { atMs: 1, request: aRequest(1, { priority: 0 }) },
    ]);
    expect(steps.every(({ preempted }) => preempted.length === 0)).toBe(true);
  });

  it("takes a victim that already had its token out of the step and gives its budget back", () => {
    const config = { ...priority, numGpuBlocks: 10, maxNumBatchedTokens: 20, rules: V011 };
    const { steps } = stepsOf(config, [
      { atMs: 0, request: aRequest(0, { promptTokens: 40, outputTokens: 40, priority: 9 }) },
      { atMs: 1, request: aRequest(1, { promptTokens: 12, outputTokens: 40, priority: 1 }) },
      { atMs: 2, request: aRequest(2, { promptTokens: 120, outputTokens: 4, priority: 1 }) },
    ]);
    const at = steps.findIndex(({ preempted }) => preempted.length > 0);
    expect(batchOf(steps[at - 1]!)).toEqual([
      [0, 1],
      [1, 1],
      [2, 18],
    ]);
    expect(steps[at]!.preempted).toEqual([0]);
    expect(batchOf(steps[at]!)).toEqual([
      [1, 1],
      [2, 19],
    ]);
  });

  it.each([
    { version: "0.19", rules: V019, ran: [1] },
    { version: "main-2026-08", rules: MAIN, ran: [1, 2] },
  ])("under $version a victim without a token in the step makes the loop skip one or not", (row) => {
    // Request 0 waits for its last token when request 1 needs a block.
    const { steps, events } = stepsOf(
      { ...priority, asyncScheduling: true, numGpuBlocks: 4, rules: row.rules },
      [
        { atMs: 0, request: aRequest(0, { promptTokens: 3, outputTokens: 5, priority: 9 }) },
        { atMs: 1, request: aRequest(1, { promptTokens: 14, outputTokens: 9, priority: 1 }) },
        { atMs: 1, request: aRequest(2, { promptTokens: 4, outputTokens: 9, priority: 2 }) },
      ],
    );
    const step = steps.find(({ preempted }) => preempted.length > 0)!;
    expect(step.preempted).toEqual([0]);
    expect(step.scheduled.map(({ id }) => id)).toEqual(row.ran);
    expect(events.get(0)!.at(-1)).toMatchObject({ what: "finished", tokens: 5 });
  });
});

describe("async scheduling", () => {
  const asyncScheduling = true;
  const one = [{ atMs: 0, request: aRequest(0, { promptTokens: 10, outputTokens: 3 }) }];

  it.each([
    { version: "0.11", rules: V011, steps: 4 },
    { version: "0.19", rules: V019, steps: 3 },
    { version: "main-2026-08", rules: MAIN, steps: 3 },
  ])("under $version takes $steps steps for three tokens", ({ rules, steps }) => {
    const outcome = stepsOf({ asyncScheduling, rules }, one);
    expect(outcome.engine.totals().steps).toBe(steps);
    expect(outcome.events.get(0)!.at(-1)).toMatchObject({ atMs: 30, tokens: 3 });
  });

  it("lets an arrival act one step later than without", () => {
    const second = { atMs: 15, request: aRequest(1, { outputTokens: 1 }) };
    const long = { atMs: 0, request: aRequest(0, { outputTokens: 20 }) };
    const ends = [false, true].map(
      (flag) => stepsOf({ asyncScheduling: flag }, [long, second]).events.get(1)!.at(-1)!.atMs,
    );
    expect(ends).toEqual([30, 40]);
  });

  it("delivers the token of a step under way to a request preempted meanwhile", () => {
    for (const rules of [V011, V019, MAIN]) {
      const { events } = stepsOf({ asyncScheduling, rules, numGpuBlocks: 6 }, [
        { atMs: 0, request: aRequest(0, { promptTokens: 32, outputTokens: 40 }) },
        { atMs: 0, request: aRequest(1, { promptTokens: 32, outputTokens: 40 }) },
      ]);
      const told = events.get(1)!;
      expect(told.some(({ what }) => what === "preempted")).toBe(true);
      expect(told.at(-1)).toMatchObject({ what: "finished", tokens: 40 });
    }
  });
});

describe("prefix statistics", () => {
  it.each([
    { version: "0.19", rules: V019, lookups: 3 },
    { version: "main-2026-08", rules: MAIN, lookups: 2 },
  ])("under $version count a request that does not fit $lookups times", ({ rules, lookups }) => {
    const { steps } = stepsOf({ numGpuBlocks: 9, rules }, [
      { atMs: 0, request: aRequest(0, { promptTokens: 60, outputTokens: 3 }) },
      { atMs: 11, request: aRequest(1, { promptTokens: 100, outputTokens: 1 }) },
    ]);
    expect(steps.reduce((sum, { prefix }) => sum + prefix.requests, 0)).toBe(lookups);
  });
});
