import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LegOutcome } from "../../src/routing/types.js";
import { complete, request, routerOf } from "./builders.js";

/** What a driver may do next, chosen by a number; calls that do not fit the state are passed over. */
type Step = readonly [what: number, which: number, outcome: LegOutcome];

const OUTCOMES = ["completed", "failed", "retryable", "cancelled"] as const;

const steps = fc.array(fc.tuple(fc.nat(9), fc.nat(30), fc.constantFrom<LegOutcome>(...OUTCOMES)), {
  maxLength: 120,
});

/** Drives a router through `steps` and then ends what is left; keeps its own books beside the router's. */
function drive(settings: Record<string, unknown>, sequence: readonly Step[], onStep: (check: Check) => void) {
  const router = routerOf(settings, { prefill: 2, decode: 3 });
  const open = new Map<number, { prefill: number; decode: number; promptTokens: number; late: boolean }>();
  let nextId = 0;
  let nowMs = 0;
  for (const [what, which, outcome] of sequence) {
    nowMs += which * 100;
    const ids = [...open.keys()];
    const id = ids[which % Math.max(1, ids.length)] ?? -1;
    const state = open.get(id);
    if (what <= 3 || state === undefined) {
      const promptTokens = 1 + which;
      const { prefill, decode } = router.route(request(nextId, { promptTokens, symbols: [which] }), nowMs);
      const late = prefill !== null && decode === null;
      open.set(nextId++, {
        prefill: prefill?.worker ?? -1,
        decode: decode?.worker ?? -1,
        promptTokens,
        late,
      });
    } else if (what === 4) router.onPrefillEnd(id, nowMs);
    else if (what === 5) router.onFirstToken(id, nowMs);
    else if (what === 6) router.onHeaders(id, "decode", nowMs);
    else if (what === 7 && state.late) {
      state.decode = router.routeDecode(id, nowMs)!.worker;
      state.late = false;
    } else if (what === 8) {
      router.onRequestEnd(id, outcome, nowMs);
      open.delete(id);
    } else {
      const leg = state.prefill >= 0 && (state.decode < 0 || which % 2 === 0) ? "prefill" : "decode";
      if (state[leg] < 0) continue;
      router.onLegEnd(id, leg, outcome, nowMs);
      state[leg] = -1;
      if (state.prefill < 0 && state.decode < 0 && !state.late) open.delete(id);
    }
    const booked = [0, 0, 0, 0, 0];
    const tokens = [0, 0, 0, 0, 0];
    for (const { prefill, decode, promptTokens } of open.values()) {
      for (const worker of [prefill, decode]) {
        if (worker < 0) continue;
        booked[worker]!++;
        tokens[worker]! += promptTokens;
      }
    }
    onStep({ router, booked, tokens });
  }
  for (const id of open.keys()) router.onRequestEnd(id, "completed", nowMs);
  return router;
}

interface Check {
  router: ReturnType<typeof routerOf>;
  booked: number[];
  tokens: number[];
}

const WORKERS = [0, 1, 2, 3, 4];
const ORDERS = ["independent", "decode_first", "prefill_first", "late_decode"] as const;

describe("the ledger", () => {
  it("counts exactly what is open and comes back to zero, under any interleaving", () => {
    fc.assert(
      fc.property(steps, fc.constantFrom(...ORDERS), fc.boolean(), (sequence, order, early) => {
        const settings = {
          order,
          decider: { routing_threshold: 5 },
          index_update: early ? "routing" : "prefill_end",
        };
        const router = drive(settings, sequence, ({ router, booked, tokens }) => {
          expect(WORKERS.map((worker) => router.bookedLegs(worker))).toEqual(booked);
          expect(WORKERS.map((worker) => router.load.open(worker))).toEqual(booked);
          expect(WORKERS.map((worker) => router.load.openTokens(worker))).toEqual(tokens);
          for (const worker of WORKERS) {
            expect(router.load.prefillTokens(worker)).toBeLessThanOrEqual(tokens[worker]!);
            expect(router.load.prefillTokens(worker)).toBeGreaterThanOrEqual(0);
          }
        });
        expect(router.isIdle()).toBe(true);
        for (const worker of WORKERS) expect(router.load.open(worker)).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it("keeps exact books beside counters with any defects, which never go below zero", () => {
    const accounting = fc.record({
      decode_opens: fc.constantFrom("choice", "dispatch", "headers"),
      decode_release: fc.constantFrom("stream_end", "headers"),
      prefill_guard_opened_late: fc.boolean(),
      leak_on_disconnect: fc.boolean(),
      double_decrement_on_retryable_status: fc.boolean(),
      health_check_resets_load_s: fc.constantFrom(null, 1),
      counted_only_for_cache_aware: fc.boolean(),
      never_counted: fc.boolean(),
    });
    fc.assert(
      fc.property(steps, accounting, fc.constantFrom(...ORDERS), (sequence, load_accounting, order) => {
        const router = drive({ order, load_accounting }, sequence, ({ router, booked }) => {
          expect(WORKERS.map((worker) => router.bookedLegs(worker))).toEqual(booked);
          for (const worker of WORKERS) {
            expect(router.load.open(worker)).toBeGreaterThanOrEqual(0);
            expect(router.load.openTokens(worker)).toBeGreaterThanOrEqual(0);
          }
        });
        expect(router.isIdle()).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe("load accounting", () => {
  const withDefect = (load_accounting: Record<string, unknown>, extra: Record<string, unknown> = {}) =>
    routerOf({ policy: "in_flight", ties: "first", load_accounting, ...extra }, { prefill: 1, decode: 1 });
  const load = (router: ReturnType<typeof routerOf>) => [router.load.open(0), router.load.open(1)];

  it("decode_release headers: a streaming decode reads as no load", () => {
    const router = withDefect({ decode_release: "headers" });
    router.route(request(1), 0);
    router.onLegEnd(1, "prefill", "completed", 1);
    expect(load(router)).toEqual([0, 1]);
    router.onHeaders(1, "decode", 2);
    expect(load(router)).toEqual([0, 0]);
    router.onFirstToken(1, 3);
    router.onLegEnd(1, "decode", "completed", 4);
    expect(load(router)).toEqual([0, 0]);
  });

  it.each([
    ["choice", [1, 1, 1]],
    ["dispatch", [0, 1, 1]],
    ["headers", [0, 0, 1]],
  ])("decode_opens %s: counts at choice, dispatch and headers are %j", (decode_opens, expected) => {
    const router = withDefect({ decode_opens });
    router.route(request(1), 0);
    const seen = [router.load.open(1)];
    router.onDispatched(1, "decode", 1);
    seen.push(router.load.open(1));
    router.onHeaders(1, "decode", 2);
    seen.push(router.load.open(1));
    expect(seen).toEqual(expected);
    complete(router, 1);
    expect(load(router)).toEqual([0, 0]);
  });

  it("prefill_guard_opened_late: a prefill leg counts from its headers on", () => {
    const router = withDefect({ prefill_guard_opened_late: true });
    router.route(request(1), 0);
    expect(load(router)).toEqual([0, 1]);
    router.onHeaders(1, "prefill", 1);
    expect(load(router)).toEqual([1, 1]);
    complete(router, 1);
    expect(load(router)).toEqual([0, 0]);
  });

  it("leak_on_disconnect: a cancelled leg stays on the counters", () => {
    const router = withDefect({ leak_on_disconnect: true });
    router.route(request(1), 0);
    router.onRequestEnd(1, "cancelled", 1);
    expect(load(router)).toEqual([1, 1]);
    expect(router.isIdle()).toBe(true);
  });

  it("double_decrement_on_retryable_status: a retryable failure takes off another request's count", () => {
    const router = withDefect({ double_decrement_on_retryable_status: true });
    router.route(request(1), 0);
    router.route(request(2), 0);
    router.onRequestEnd(1, "retryable", 1);
    expect(load(router)).toEqual([0, 0]);
    router.onRequestEnd(2, "failed", 2);
    expect(load(router)).toEqual([0, 0]);
  });

  it("health_check_resets_load_s: all counters read 0 at every period", () => {
    const router = withDefect({ health_check_resets_load_s: 10 });
    router.route(request(1), 9_999);
    expect(load(router)).toEqual([1, 1]);
    router.route(request(2), 10_000);
    expect(load(router)).toEqual([1, 1]);
    complete(router, 2, 10_001);
    complete(router, 1, 10_001);
    expect(load(router)).toEqual([0, 0]);
  });

  it("health_check_resets_load_s: at whole multiples of the period, whenever something happens first", () => {
    const router = withDefect({ health_check_resets_load_s: 10, decode_opens: "headers" });
    router.route(request(1, { promptTokens: 5 }), 25_000);
    router.onHeaders(1, "decode", 29_999);
    expect([router.load.open(1), router.load.openTokens(1)]).toEqual([1, 5]);
    router.route(request(2), 29_999);
    // The reset of 30 s comes before what counts at 30 s.
    router.onHeaders(2, "decode", 30_000);
    expect(router.load.open(1)).toBe(1);
    expect(router.load.openTokens(0)).toBe(0);
    router.onDispatched(2, "prefill", 39_999);
    expect(router.load.open(1)).toBe(1);
    router.onDispatched(2, "prefill", 40_000);
    expect(load(router)).toEqual([0, 0]);
  });

  it.each(["onPrefillEnd", "onFirstToken", "onRequestEnd", "onLegEnd", "setHealthy", "rerouteLeg"] as const)(
    "health_check_resets_load_s: %s after the period finds the counters at 0",
    (call) => {
      const router = withDefect({ health_check_resets_load_s: 10 });
      for (const id of [1, 2, 3]) router.route(request(id, { promptTokens: 7 }), 0);
      const calls = {
        onPrefillEnd: () => router.onPrefillEnd(1, 10_000),
        onFirstToken: () => router.onFirstToken(1, 10_000),
        onRequestEnd: () => router.onRequestEnd(1, "completed", 10_000),
        onLegEnd: () => router.onLegEnd(1, "prefill", "completed", 10_000),
        setHealthy: () => router.setHealthy(0, false, 10_000),
        rerouteLeg: () => router.rerouteLeg(request(1), "decode", "failed", 10_000, [1]),
      };
      calls[call]();
      expect(load(router)).toEqual([0, 0]);
      expect([router.load.openTokens(0), router.load.openTokens(1)]).toEqual([0, 0]);
    },
  );

  it.each([
    ["completed", [1, 1]],
    ["failed", [1, 1]],
    ["retryable", [1, 1]],
    ["cancelled", [1, 1]],
  ] as const)("without defects, a leg that ends %s is taken off once", (outcome, left) => {
    const router = withDefect({});
    for (const id of [1, 2]) router.route(request(id), 0);
    router.onRequestEnd(1, outcome, 1);
    expect(load(router)).toEqual(left);
  });

  it.each([
    ["leak_on_disconnect", "completed"],
    ["leak_on_disconnect", "retryable"],
    ["double_decrement_on_retryable_status", "cancelled"],
    ["double_decrement_on_retryable_status", "failed"],
  ] as const)("%s leaves a leg that ends %s alone", (defect, outcome) => {
    const router = withDefect({ [defect]: true });
    for (const id of [1, 2]) router.route(request(id), 0);
    router.onRequestEnd(1, outcome, 1);
    expect(load(router)).toEqual([1, 1]);
  });

  it("leak_on_disconnect: nothing leaks of a stream whose count was released at its headers", () => {
    const router = withDefect({ leak_on_disconnect: true, decode_release: "headers" });
    router.route(request(1), 0);
    router.onLegEnd(1, "prefill", "completed", 1);
    router.onHeaders(1, "decode", 2);
    router.onRequestEnd(1, "cancelled", 3);
    expect(load(router)).toEqual([0, 0]);
  });

  it("never_counted: no load is ever seen", () => {
    const router = withDefect({ never_counted: true });
    router.route(request(1), 0);
    expect(load(router)).toEqual([0, 0]);
    expect([router.bookedLegs(0), router.bookedLegs(1)]).toEqual([1, 1]);
  });

  it("counted_only_for_cache_aware: other policies see no load", () => {
    const router = withDefect({ counted_only_for_cache_aware: true }, { decode_policy: "cache_aware" });
    router.route(request(1), 0);
    expect(load(router)).toEqual([0, 1]);
  });
});
