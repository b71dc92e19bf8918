import { describe, expect, it } from "vitest";
import { VLLM_VERSIONS } from "../../src/engine/vllm-versions.js";
import { aRequest, aSpan } from "./builders.js";
import type { Submission } from "./driver.js";
import { batchOf, stepsOf } from "./observe.js";

const V011 = VLLM_VERSIONS["0.11"];
const V019 = VLLM_VERSIONS["0.19"];
const MAIN = VLLM_VERSIONS["main-2026-08"];

function aLoad(id: number, atMs: number, transferMs: number, promptTokens = 100): Submission {
  return {
    atMs,
    transferMs,
    request: aRequest(id, { promptTokens, outputTokens: 3, kvRole: "remote_prefill" }),
  };
}

function aPrefill(id: number, atMs: number, transferMs: number, promptTokens = 100): Submission {
  return {
    atMs,
    transferMs,
    request: aRequest(id, { promptTokens, outputTokens: 1, kvRole: "remote_decode" }),
  };
}

const local = (id: number, atMs: number, promptTokens: number, outputTokens: number): Submission => ({
  atMs,
  request: aRequest(id, { promptTokens, outputTokens }),
});

describe("the decode leg", () => {
  it("holds blocks for the whole prompt while it loads, then computes the last prompt token", () => {
    const { steps, events } = stepsOf({}, [aLoad(0, 5, 7)]);
    expect(steps[0]!.freeScheduled).toBe(1023 - 7);
    expect(events.get(0)!.map(({ what, atMs, tokens }) => [what, atMs, tokens])).toEqual([
      ["read", 5, 100],
      ["scheduled", 12, 0],
      ["first", 22, 0],
      ["finished", 42, 3],
    ]);
    const admission = steps.find(({ tokens }) => tokens > 0)!;
    expect(admission.scheduled[0]).toMatchObject({ computedBefore: 99, tokens: 1 });
  });

  it("sees the end of a transfer at the first step that ends at or after it", () => {
    const { events } = stepsOf({}, [local(0, 0, 10, 20), aLoad(1, 5, 10), aLoad(2, 5, 10.5)]);
    expect(events.get(1)![1]).toMatchObject({ what: "scheduled", atMs: 20 });
    expect(events.get(2)![1]).toMatchObject({ what: "scheduled", atMs: 30 });
  });

  it("reads only what it does not hold, and always the end of the prompt", () => {
    const content = aSpan(16, [[0, 6]]);
    const request = aRequest(1, { promptTokens: 96, outputTokens: 1, content, kvRole: "remote_prefill" });
    const { events } = stepsOf({}, [
      { atMs: 0, request: aRequest(0, { promptTokens: 96, outputTokens: 1, content }) },
      { atMs: 100, request, transferMs: 5 },
    ]);
    expect(events.get(1)!.slice(0, 2)).toMatchObject([
      { what: "read", tokens: 16 },
      { what: "scheduled", tokens: 80 },
    ]);
  });

  it("computes everything itself after a preemption", () => {
    const { events, steps } = stepsOf({ numGpuBlocks: 10, enablePrefixCaching: false }, [
      { ...local(0, 0, 20, 60) },
      { atMs: 1, transferMs: 3, request: { ...aLoad(1, 1, 3, 78).request, outputTokens: 40 } },
    ]);
    expect(events.get(1)!.filter(({ what }) => what === "read")).toHaveLength(1);
    const resumed = steps.flatMap(({ scheduled }) => scheduled).find(({ kind }) => kind === "resumed")!;
    expect(resumed).toMatchObject({ id: 1, computedBefore: 0 });
  });

  it.each([
    { version: "0.11", rules: V011, transferMs: 5, order: [2, 1] },
    { version: "0.11", rules: V011, transferMs: 15, order: [1, 2] },
    { version: "0.19", rules: V019, transferMs: 5, order: [1, 2] },
    { version: "0.19", rules: V019, transferMs: 15, order: [1, 2] },
  ])("under $version two loads of $transferMs ms come in as $order", ({ rules, transferMs, order }) => {
    const { steps } = stepsOf({ rules }, [
      aLoad(1, 0, transferMs),
      aLoad(2, 0, transferMs),
      local(0, 0, 10, 9),
    ]);
    const together = steps.find(({ scheduled }) => scheduled.length === 3)!;
    expect(batchOf(together).map(([id]) => id)).toEqual([0, ...order]);
  });

  it.each([
    { what: "the batch is full", config: { maxNumSeqs: 1 }, startsMs: 40 },
    { what: "the token budget is used up", config: { maxNumBatchedTokens: 50 }, startsMs: 20 },
    { what: "nothing is in the way", config: {}, startsMs: 10 },
  ])("starts to load when the waiting loop runs: $what", ({ config, startsMs }) => {
    const { events } = stepsOf(config, [local(0, 0, 100, 4), aLoad(1, 5, 1)]);
    expect(events.get(1)![0]).toMatchObject({ what: "read", atMs: startsMs });
  });

  it.each([
    { version: "0.19", rules: V019, startsMs: 10 },
    { version: "main-2026-08", rules: MAIN, startsMs: 50 },
  ])("under $version leaves running prefills the blocks they need or not", ({ rules, startsMs }) => {
    const config = { rules, numGpuBlocks: 13, maxNumBatchedTokens: 50, longPrefillTokenThreshold: 40 };
    const { events } = stepsOf(config, [local(0, 0, 160, 2), aLoad(1, 5, 1, 60)]);
    expect(events.get(1)![0]).toMatchObject({ what: "read", atMs: startsMs });
  });
});

describe("the prefill leg", () => {
  it("holds its blocks until they have been read, and others can hit them meanwhile", () => {
    const content = aSpan(16, [[0, 7]]);
    const prefill = { ...aPrefill(0, 0, 55), request: { ...aPrefill(0, 0, 55).request, content } };
    const { steps, events } = stepsOf({}, [
      prefill,
      { atMs: 20, request: aRequest(1, { promptTokens: 100, outputTokens: 8, content }) },
    ]);
    expect(events.get(1)![0]).toMatchObject({ what: "scheduled", tokens: 96 });
    const ended = steps.find(({ sent }) => sent.includes(0))!;
    expect(ended.endMs).toBe(70);
    expect(ended.freeAfter - ended.freeScheduled).toBe(1);
  });

  it("makes later prefills wait for its blocks although nothing runs", () => {
    const { events } = stepsOf({ numGpuBlocks: 10 }, [aPrefill(0, 0, 50), aPrefill(1, 1, 50)]);
    expect(events.get(1)![0]).toMatchObject({ what: "scheduled", atMs: 60 });
  });

  it.each([
    { version: "0.19", rules: V019, held: 7 },
    { version: "main-2026-08", rules: MAIN, held: 0 },
  ])("under $version an idle engine then still holds $held blocks", ({ rules, held }) => {
    expect(stepsOf({ rules }, [aPrefill(0, 0, 50)]).engine.blocksInUse()).toBe(held);
  });

  it("gives finished sends back in the next step of an idle engine that does not poll", () => {
    const { engine } = stepsOf({}, [aPrefill(0, 0, 50), local(1, 200, 10, 1)]);
    expect(engine.blocksInUse()).toBe(0);
  });
});

describe("an abort", () => {
  it("of a load not yet begun reads nothing, so that the prefill engine lets go", () => {
    const { events } = stepsOf({ maxNumSeqs: 1 }, [
      local(0, 0, 10, 9),
      { ...aLoad(1, 5, 50), abortAtMs: 15 },
    ]);
    expect(events.get(1)!.map(({ what, atMs, tokens }) => [what, atMs, tokens])).toEqual([
      ["read", 20, 0],
      ["finished", 20, 0],
    ]);
  });

  it.each([
    { version: "0.11", rules: V011, freeAfterAbort: 1022 },
    { version: "0.19", rules: V019, freeAfterAbort: 1015 },
  ])("under $version during a load leaves $freeAfterAbort blocks free until it ends", (row) => {
    const { steps, events, engine } = stepsOf({ rules: row.rules }, [
      local(0, 0, 5, 9),
      { ...aLoad(1, 5, 50), abortAtMs: 25 },
    ]);
    expect(events.get(1)!.at(-1)).toMatchObject({ what: "finished", atMs: 30, reason: "aborted" });
    expect(steps.find(({ scheduledMs }) => scheduledMs === 30)!.freeBefore).toBe(row.freeAfterAbort);
    expect(engine.blocksInUse()).toBe(0);
  });

  it.each([
    { version: "0.11", rules: V011, held: 0 },
    { version: "0.19", rules: V019, held: 7 },
  ])("under $version of a finished prefill leaves $held blocks held", ({ rules, held }) => {
    const { events, steps } = stepsOf({ rules }, [
      { ...aPrefill(0, 0, 500), abortAtMs: 40 },
      local(1, 100, 5, 1),
    ]);
    expect(events.get(0)!.filter(({ what }) => what === "finished")).toHaveLength(1);
    expect(1023 - steps.find(({ scheduledMs }) => scheduledMs === 100)!.freeBefore).toBe(held);
  });

  it("of a running prefill leg frees its blocks at once and sends nothing", () => {
    const { events, engine } = stepsOf({ maxNumBatchedTokens: 40 }, [
      { ...aPrefill(0, 0, 500), abortAtMs: 5 },
      local(1, 0, 5, 9),
    ]);
    expect(events.get(0)!.at(-1)).toMatchObject({ what: "finished", atMs: 10, reason: "aborted" });
    expect(engine.blocksInUse()).toBe(0);
  });
});
