import { describe, expect, it } from "vitest";
import type { Router } from "../../../src/routing/router.js";
import { complete, request, routerOf } from "../builders.js";

let nextId = 0;
const send = (router: Router, symbols: readonly number[], nowMs = 0) =>
  router.route(request(nextId++, { symbols, unitsPerSymbol: 100 }), nowMs).decode!;
const linear = { prefill_base_ms: 0, prefill_ms_per_token: 1, prefill_ms_per_token_pair: 0 };
const routerWith = (settings: Record<string, unknown>, decode = 2) =>
  routerOf({ decider: "never", ties: "first", ...settings }, { prefill: 0, decode });

describe("least_estimated_ttft", () => {
  const settings = { policy: "least_estimated_ttft", ...linear };

  it("adds the prefills that are queued to the request's own, less what is held", () => {
    const router = routerWith(settings);
    expect(send(router, [1, 2, 3])).toMatchObject({ worker: 0, figures: { estimated_ttft_ms: 300 } });
    expect(send(router, [1, 2, 3])).toMatchObject({
      worker: 0,
      figures: { estimated_ttft_ms: 300, queued_ms: 300 },
    });
    expect(send(router, [8])).toMatchObject({ worker: 1, figures: { estimated_ttft_ms: 100 } });
  });

  it("counts a prefill no longer once it has ended, even if its request goes on", () => {
    const router = routerWith(settings);
    send(router, [1]);
    router.onFirstToken(nextId - 1, 1);
    expect(send(router, [2])).toMatchObject({ worker: 0, figures: { estimated_ttft_ms: 100, queued_ms: 0 } });
  });

  it("is production-stack's workload with factors of one half", () => {
    const half = { prefill_base_ms: 0, prefill_ms_per_token: 0.5, prefill_ms_per_token_pair: 0.5 };
    const router = routerWith({ policy: "least_estimated_ttft", ...half }, 1);
    const w = (n: number, c: number) => ((c + 1 + n) * (n - c)) / 2;
    expect(send(router, [1, 2]).figures["estimated_ttft_ms"]).toBe(w(200, 0));
    complete(router, nextId - 1);
    expect(send(router, [1, 2, 3]).figures["estimated_ttft_ms"]).toBe(w(300, 200));
  });

  it("adds ttft_ms_per_open_request for each request that is open there", () => {
    const router = routerWith({ ...settings, ttft_ms_per_open_request: 7 }, 1);
    send(router, [1]);
    router.onPrefillEnd(nextId - 1, 0);
    send(router, [2]);
    router.onPrefillEnd(nextId - 1, 0);
    expect(send(router, [3]).figures).toEqual({ estimated_ttft_ms: 114, queued_ms: 0, prefill_ms: 100 });
  });

  it("places the decode leg of a disaggregated request by open requests", () => {
    const router = routerOf({ decider: "always", ties: "first", ...settings }, { prefill: 1, decode: 2 });
    const legs = [1, 2].map((id) => router.route(request(id, { symbols: [1] }), 0).decode!);
    expect(legs.map(({ worker, branch }) => [worker, branch])).toEqual([
      [1, "min_load"],
      [2, "min_load"],
    ]);
    expect(legs.map(({ figures }) => figures)).toEqual([{ cost: 0 }, { cost: 0 }]);
  });
});

describe("mooncake_conductor", () => {
  const settings = { policy: "mooncake_conductor", ...linear, transfer_ms_per_token: 0.1 };

  it("expects a worker without the prefix to fetch it from the best one", () => {
    const router = routerWith(settings);
    expect(send(router, [1, 2, 3])).toMatchObject({ worker: 0, branch: "min_ttft" });
    // Worker 0: 300 queued + 100. Worker 1: fetches 300 tokens in 30 ms and computes 100.
    expect(send(router, [1, 2, 3, 4])).toMatchObject({
      worker: 1,
      branch: "fetch_prefix",
      figures: { estimated_ttft_ms: 130 },
    });
  });

  it.each([
    [2, "fetch_prefix"],
    [2.01, "own_prefix"],
  ])("with the best holding twice as much and a threshold of %f, goes by %s", (threshold, branch) => {
    const router = routerWith({ ...settings, kvcache_balancing_threshold: threshold });
    send(router, [1, 2]);
    send(router, [1]);
    router.onPrefillEnd(nextId - 1, 0);
    // Worker 1 holds one block of the prompt, worker 0 two and is busy.
    expect(send(router, [1, 2])).toMatchObject({ worker: 1, branch });
  });

  it("expects a fetch to bring what the worker lacks of the best prefix, in tokens", () => {
    const router = routerWith(settings);
    // Half a token a unit: 400 units are 200 tokens.
    const halves = (id: number, symbols: number[]) => {
      const whole = request(id, { symbols, unitsPerSymbol: 100 });
      return router.route({ ...whole, promptTokens: whole.promptTokens / 2 }, 0).decode!;
    };
    expect(halves(900, [1, 2, 3, 4])).toMatchObject({ worker: 0, figures: { estimated_ttft_ms: 200 } });
    expect(halves(901, [1])).toMatchObject({
      worker: 1,
      branch: "fetch_prefix",
      figures: { best_units: 100 },
    });
    router.onPrefillEnd(901, 0);
    // Worker 1 holds 50 of 250 tokens, worker 0 200: it fetches 150 for 15 ms and computes 50.
    expect(halves(902, [1, 2, 3, 4, 5])).toMatchObject({
      worker: 1,
      branch: "fetch_prefix",
      figures: { estimated_ttft_ms: 65, queued_ms: 0, held_units: 100, best_units: 400 },
    });
  });

  it("fetches nothing while nobody holds anything, nor for itself at a threshold of 1", () => {
    const router = routerWith({ ...settings, kvcache_balancing_threshold: 1 }, 1);
    expect(send(router, [1, 2])).toMatchObject({ branch: "min_ttft", figures: { estimated_ttft_ms: 200 } });
    router.onPrefillEnd(nextId - 1, 0);
    expect(send(router, [1, 2, 3])).toMatchObject({ figures: { estimated_ttft_ms: 100, best_units: 200 } });
  });
});

describe("qps", () => {
  it("takes the worker with the fewest arrivals in the window", () => {
    const router = routerWith({ policy: "qps", request_stats_window_s: 10 }, 3);
    expect([0, 1, 2, 3].map((s) => send(router, [], s * 1000).worker)).toEqual([0, 1, 2, 0]);
    // At 12 s worker 0 has one arrival left (3 s), worker 1 none (1 s), worker 2 one (2 s).
    expect(send(router, [], 12_000)).toMatchObject({ worker: 1, figures: { min_qps: 0, max_qps: 0.1 } });
  });

  it("takes a worker that never had a request before one whose requests have left the window", () => {
    const router = routerWith({ policy: "qps", request_stats_window_s: 10 }, 2);
    expect(send(router, [], 0).worker).toBe(0);
    expect(send(router, [], 20_000)).toMatchObject({ worker: 1, figures: { min_qps: 0, max_qps: 0 } });
    expect(send(router, [], 40_000).worker).toBe(0);
  });

  it("counts arrivals, not load", () => {
    const router = routerWith({ policy: "qps" });
    for (let i = 0; i < 6; i++) {
      const { worker } = send(router, []);
      expect(worker).toBe(i % 2);
      if (worker === 0) complete(router, nextId - 1);
    }
  });

  it("keeps count of many arrivals", () => {
    const router = routerWith({ policy: "qps", request_stats_window_s: 1 });
    for (let i = 0; i < 1000; i++) send(router, [], i);
    expect(send(router, [], 1000).figures["min_qps"]).toBe(500);
  });

  it("keeps count while its store grows in the middle of a window", () => {
    const router = routerWith({ policy: "qps", request_stats_window_s: 1 }, 1);
    const rateAt = (nowMs: number) => send(router, [], nowMs).figures["min_qps"];
    for (let i = 0; i < 60; i++) send(router, [], i);
    // The first 30 have gone when 70 more come: the store of 64 wraps round, then grows.
    for (let i = 0; i < 70; i++) send(router, [], 1030);
    expect(rateAt(1030)).toBe(30 + 70);
    expect(rateAt(1045)).toBe(15 + 71);
    expect(rateAt(2030)).toBe(72);
    expect(rateAt(2031)).toBe(2);
  });
});
