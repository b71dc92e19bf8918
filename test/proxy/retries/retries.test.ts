import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_RESILIENCE } from "../../../src/proxy/resilience.js";
import { backoffMs } from "../../../src/proxy/retries/backoff.js";
import { legFailure, retryScope, type LegFailure } from "../../../src/proxy/retries/leg-failure.js";
import { RetryBudget } from "../../../src/proxy/retries/retry-budget.js";
import { retryAfterMs, RetryPlan } from "../../../src/proxy/retries/retry-plan.js";

const SETTINGS = { ...DEFAULT_RESILIENCE.retries!, jitterShare: 0 };

describe("the wait before a retry", () => {
  it("is vllm-router's: 50, 75, 112.5, 168.75 ms, and no longer than the longest", () => {
    expect([0, 1, 2, 3].map((retry) => backoffMs(SETTINGS, retry, 0.5))).toEqual([50, 75, 112.5, 168.75]);
    expect(backoffMs(SETTINGS, 99, 0.5)).toBe(30_000);
  });

  it("is moved by no more than the jitter", () => {
    fc.assert(
      fc.property(fc.nat(20), fc.double({ min: 0, max: 0.999, noNaN: true }), (retry, draw) => {
        const plain = backoffMs(SETTINGS, retry, draw);
        const moved = backoffMs({ ...SETTINGS, jitterShare: 0.2 }, retry, draw);
        expect(Math.abs(moved / plain - 1)).toBeLessThanOrEqual(0.2 + 1e-9);
      }),
    );
  });
});

describe("Retry-After", () => {
  const DATE_MS = Date.parse("Wed, 21 Oct 2026 07:28:00 GMT");
  it.each([
    [undefined, null],
    ["3", 3000],
    ["0", 0],
    [" 2 ", 2000],
    ["Wed, 21 Oct 2026 07:28:05 GMT", 5000],
    ["Wed, 21 Oct 2026 07:27:00 GMT", 0],
    ["soon", null],
  ])("%s is %s", (value, expected) => {
    expect(retryAfterMs(value, DATE_MS)).toBe(expected);
  });
});

describe("the attempts at a request", () => {
  it("end at the limit, the first one included", () => {
    const plan = new RetryPlan({ ...SETTINGS, attemptsMax: 3 });
    const waits = [];
    for (let i = 0; i < 4; i++) {
      plan.onFailure(i, null, 0);
      const waitMs = plan.waitMs(true, 0, 0.5);
      waits.push(waitMs);
      if (waitMs !== null) plan.onRetry();
    }
    expect(waits).toEqual([50, 75, null, null]);
  });

  it("leave out every worker that has failed, and end when nobody is left", () => {
    const plan = new RetryPlan(SETTINGS);
    plan.onFailure(3, null, 0);
    plan.onFailure(1, null, 0);
    expect(plan.excluded(1e12)).toEqual([3, 1]);
    expect(plan.waitMs(false, 0, 0.5)).toBeNull();
  });

  it("wait for a worker that has said when to come back, if nobody else is there", () => {
    const plan = new RetryPlan(SETTINGS);
    plan.onFailure(0, 2000, 100);
    expect(plan.waitMs(true, 100, 0.5)).toBe(50);
    expect(plan.waitMs(false, 100, 0.5)).toBe(2001);
    expect(plan.excluded(2099)).toEqual([0]);
    expect(plan.excluded(2100)).toEqual([]);
    plan.onFailure(0, 31_000, 100);
    expect(plan.waitMs(false, 100, 0.5)).toBeNull();
  });

  it("are one when retries are off", () => {
    expect(new RetryPlan(null).waitMs(true, 0, 0.5)).toBeNull();
  });
});

describe("the budget of retries", () => {
  it("lets through a share of the requests and a few per second, whatever happens", () => {
    const settings = { ...SETTINGS, budgetShare: 0.2, budgetPerS: 10 };
    const step = fc.oneof(fc.constant("request"), fc.constant("retry"), fc.integer({ min: 1, max: 500 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const budget = new RetryBudget();
        let [nowMs, requests, retries] = [0, 0, 0];
        for (const what of steps) {
          if (typeof what === "number") nowMs += what;
          else if (what === "request") {
            requests++;
            budget.onRequest(settings, nowMs);
          } else if (budget.take(settings, nowMs)) retries++;
        }
        expect(retries).toBeLessThanOrEqual(100 + (nowMs / 1000) * 10 + requests * 0.2 + 1e-6);
      }),
    );
  });

  it("runs out, and comes back with time", () => {
    const budget = new RetryBudget();
    const settings = { ...SETTINGS, budgetPerS: 1 };
    let taken = 0;
    while (budget.take(settings, 0)) taken++;
    expect(taken).toBe(10);
    expect(budget.take(settings, 999)).toBe(false);
    expect(budget.take(settings, 1000)).toBe(true);
  });
});

describe("what is done again", () => {
  const failure = (isUnstarted: boolean): LegFailure => ({
    outcome: "retryable",
    isUnstarted,
    isUnsent: false,
    retryAfterMs: null,
  });

  it.each([
    ["prefill", false, { hasPrefill: true, hasHandle: false, decodeIsSent: false }, "prefill"],
    ["prefill", false, { hasPrefill: true, hasHandle: false, decodeIsSent: true }, "both"],
    ["decode", false, { hasPrefill: false, hasHandle: false, decodeIsSent: true }, "decode"],
    ["decode", true, { hasPrefill: true, hasHandle: true, decodeIsSent: true }, "decode"],
    ["decode", false, { hasPrefill: true, hasHandle: true, decodeIsSent: true }, "both"],
    ["decode", true, { hasPrefill: true, hasHandle: false, decodeIsSent: true }, "both"],
  ] as const)("when the %s leg fails (turned away: %s) with %j: %s", (leg, isUnstarted, legs, scope) => {
    expect(retryScope(leg, failure(isUnstarted), legs)).toBe(scope);
  });

  it.each([
    [200, null],
    [400, null],
    [404, null],
    [408, false],
    [429, true],
    [500, false],
    [501, null],
    [503, true],
  ])("after status %i: turned away = %s, null = nothing", (status, isUnstarted) => {
    expect(legFailure(status, [])?.isUnstarted ?? null).toBe(isUnstarted);
  });
});
