import { describe, expect, it } from "vitest";
import { resolveRouterConfig } from "../../../src/routing/router-config.js";
import { Router } from "../../../src/routing/router.js";
import type { WorkerSpec } from "../../../src/routing/types.js";
import { complete, request, routerOf } from "../builders.js";

let nextId = 0;

describe("aibrix_prefix_cache", () => {
  const routerWith = (settings: Record<string, unknown> = {}) =>
    routerOf(
      { decider: "never", policy: "aibrix_prefix_cache", ties: "first", ...settings },
      { prefill: 0, decode: 3 },
    );
  const send = (router: Router, symbols: readonly number[]) =>
    router.route(request(nextId++, { symbols }), 0).decode!;

  it("takes the holder of most of the prompt that is not overloaded", () => {
    const router = routerWith();
    expect(send(router, [1, 2]).worker).toBe(0);
    // Loads 1, 0, 0: mean 1/3, deviation 0.47; worker 0 is above 0.80.
    expect(send(router, [1, 2])).toMatchObject({ worker: 1, branch: "min_load" });
    // Loads 1, 1, 0: mean 2/3, deviation 0.47; both holders are within 1.14.
    expect(send(router, [1, 2])).toMatchObject({ worker: 0, branch: "prefix_hit" });
  });

  it.each([
    [8, "prefix_hit"],
    [9, "balance"],
  ])("with a difference of %i open requests (bound 8, strict), goes by %s", (difference, branch) => {
    const router = routerWith({ stddev_factor: 100 });
    for (let i = 0; i < difference; i++) send(router, [1]);
    expect(send(router, [1]).branch).toBe(branch);
  });
});

describe("aibrix_pd with order joint", () => {
  const fleet: WorkerSpec[] = [
    { id: "p-a", leg: "prefill", group: "a" },
    { id: "d-a", leg: "decode", group: "a" },
    { id: "p-b", leg: "prefill", group: "b" },
    { id: "d-b", leg: "decode", group: "b" },
  ];
  const routerWith = (settings: Record<string, unknown> = {}) =>
    new Router(resolveRouterConfig({ preset: "aibrix", ...settings }).config, fleet, 3);
  const stats = (running: number, kvUsage = 0) => ({ running, waiting: 0, kvUsage, atMs: 0 });
  const route = (router: Router, symbols: readonly number[] = []) => {
    const { prefill, decode } = router.route(request(nextId++, { symbols }), 0);
    expect(decode!.worker).toBe(prefill!.worker + 1);
    return { prefill: prefill!, decode: decode! };
  };

  it("keeps both legs in one roleset", () => {
    const router = routerWith();
    for (let i = 0; i < 100; i++) route(router, [i % 7]);
  });

  it("weighs the prefix on the prefill side against load on the decode side", () => {
    const router = routerWith();
    const { prefill } = route(router, [1, 2]);
    complete(router, nextId - 1);
    for (let i = 0; i < 5; i++) {
      expect(route(router, [1, 2]).prefill.worker).toBe(prefill.worker);
      complete(router, nextId - 1);
    }
  });

  it.each([
    [15, "load_balancing"],
    [16, "imbalance"],
  ])("a decode difference of %i running requests (from 16 on) goes by %s", (difference, branch) => {
    const router = routerWith();
    router.updateStats(1, stats(difference));
    router.updateStats(3, stats(0));
    const { decode } = route(router);
    expect(decode.branch).toBe(branch);
    if (branch === "imbalance") expect(decode.worker).toBe(3);
  });

  it("binds the roleset by the prefill leg first", () => {
    const router = routerWith({ prefill_imbalance_threshold: 0 });
    const first = route(router).prefill.worker;
    const busyDecode = first === 0 ? 3 : 1;
    router.updateStats(1, stats(busyDecode === 1 ? 50 : 0));
    router.updateStats(3, stats(busyDecode === 3 ? 50 : 0));
    const second = route(router);
    expect(second.prefill).toMatchObject({ worker: first === 0 ? 2 : 0, branch: "imbalance" });
    expect(second.decode).toMatchObject({ worker: busyDecode, branch: "load_balancing" });
  });

  it("prefers the decode worker with more free KV", () => {
    const router = routerWith();
    router.updateStats(1, stats(4, 0.95));
    router.updateStats(3, stats(4, 0.5));
    expect(route(router).decode.worker).toBe(3);
  });

  it("falls back to decoding alone, by the same scores, without a prefill worker", () => {
    const router = routerWith({ without_prefill_worker: "decode_only" });
    router.setHealthy(0, false, 0);
    router.setHealthy(2, false, 0);
    expect(router.route(request(nextId++), 0)).toMatchObject({ path: "decode_only", prefill: null });
  });
});
