import { describe, expect, it } from "vitest";
import type { Router } from "../../../src/routing/router.js";
import { request, routerOf } from "../builders.js";

let nextId = 0;
const BALANCED = 1e9;
const routerWith = (settings: Record<string, unknown> = {}, decode = 2) =>
  routerOf(
    { decider: "never", policy: "bucket", ties: "first", initial_max_units: 1000, ...settings },
    { prefill: 0, decode },
  );
/** Routes a prompt of so many tokens. */
const send = (router: Router, tokens: number, nowMs = 0) =>
  router.route(request(nextId++, { promptTokens: tokens }), nowMs).decode!;
const sendAll = (router: Router, nowMs: number, ...tokens: number[]) =>
  tokens.map((count) => send(router, count, nowMs).worker);

describe("bucket", () => {
  it.each([
    [1, 0],
    [333, 0],
    [334, 1],
    [666, 1],
    [667, 2],
    [5000, 2],
  ])("with three workers and 1,000 tokens expected, a prompt of %i goes to worker %i", (tokens, worker) => {
    const router = routerWith({ bucket_balance_abs_units: BALANCED }, 3);
    expect(send(router, tokens)).toMatchObject({ worker, branch: "bucket", figures: { units: tokens } });
  });

  it.each([
    // Units on worker 0 and worker 1; unbalanced above a difference of 100 and twice the lower.
    [100, 0, "bucket"],
    [101, 0, "balance"],
    [400, 200, "bucket"],
    [401, 200, "balance"],
    [250, 200, "bucket"],
  ])("with %i units here and %i there goes by %s", (high, low, branch) => {
    const router = routerWith({
      bucket_balance_abs_units: 100,
      bucket_balance_rel: 2,
      initial_max_units: 2000,
    });
    const give = (worker: number, units: number) => {
      router.setHealthy(1 - worker, false, 0);
      if (units > 0) send(router, units);
      router.setHealthy(1 - worker, true, 0);
    };
    give(0, high);
    give(1, low);
    expect(send(router, 10)).toMatchObject({ branch, figures: { min_load: low, max_load: high } });
  });

  it("counts load over the last window only", () => {
    const router = routerWith({ bucket_balance_abs_units: 50, window_s: 2 });
    send(router, 100, 0);
    expect(send(router, 1, 2000)).toMatchObject({ worker: 1, branch: "balance", figures: { max_load: 100 } });
    expect(send(router, 1, 2001)).toMatchObject({ worker: 0, branch: "bucket", figures: { max_load: 1 } });
    expect(send(router, 1, 4002)).toMatchObject({ figures: { min_load: 0, max_load: 0 } });
  });

  it("cuts the window's prompts, by length, into parts of equal units", () => {
    const router = routerWith({ bucket_balance_abs_units: BALANCED }, 3);
    // 9,000 units: up to 2,000 lie 4,000, up to 5,000 all.
    sendAll(router, 1000, 5000, 500, 1000, 2000, 500);
    expect(sendAll(router, 5000, 2000, 2001, 5000, 5001)).toEqual([0, 1, 1, 2]);
  });

  it.each([
    // Units a worker in the window, against 500 expected: within half and twice (inclusive) nothing changes.
    [250, 500],
    [249, 249],
    [1000, 500],
    [1001, 1001],
  ])("with %i units a worker the first range ends at %i", (units, end) => {
    const router = routerWith({ bucket_balance_abs_units: BALANCED });
    sendAll(router, 1000, units, units);
    expect(sendAll(router, 5000, end, end + 1)).toEqual([0, 1]);
  });

  it("keeps its first ranges through windows without prompts", () => {
    const router = routerWith({ bucket_balance_abs_units: BALANCED });
    expect(sendAll(router, 60_000, 500, 501)).toEqual([0, 1]);
  });

  it("compares each window with the one its ranges come from", () => {
    const router = routerWith({ bucket_balance_abs_units: BALANCED });
    sendAll(router, 1000, 5000, 5000);
    // 5,000 a worker from 5 s on; 3,000 is within half of it, so that nothing changes at 10 s.
    sendAll(router, 6000, 3000, 3000);
    expect(sendAll(router, 10_000, 5000, 5001)).toEqual([0, 1]);
  });

  it("sets the ranges by the prompts of the window that has ended, not by older ones", () => {
    const router = routerWith({ bucket_balance_abs_units: BALANCED });
    send(router, 500, 4000);
    // The window that ends at 10 s holds the second prompt only.
    send(router, 5000, 5500);
    expect(sendAll(router, 10_500, 5000, 5001)).toEqual([0, 1]);
  });

  it("gives a lost worker's range to the lowest load, and splits it anew when workers come or go", () => {
    const router = routerWith({ bucket_balance_abs_units: BALANCED }, 3);
    router.setHealthy(0, false, 0);
    expect(send(router, 10)).toMatchObject({ worker: 1, branch: "owner_down" });
    expect(send(router, 10)).toMatchObject({ worker: 2, branch: "owner_down" });
    router.removeWorker(0);
    // Ranges keep their width of a third of 1,000.
    expect(sendAll(router, 0, 333, 334)).toEqual([1, 2]);
  });
});
