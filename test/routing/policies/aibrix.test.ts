import { describe, expect, it } from "vitest";
import { resolveRouterConfig } from "../../../src/routing/router-config.js";
import { Router } from "../../../src/routing/router.js";
import type { WorkerSpec } from "../../../src/routing/types.js";
import { complete, request, routerOf } from "../builders.js";

let nextId = 0;

describe("aibrix_prefix_cache", () => {
  const routerWith = (settings: Record<string, unknown> = {}, decode = 3) =>
    routerOf(
      { decider: "never", policy: "aibrix_prefix_cache", ties: "first", ...settings },
      { prefill: 0, decode },
    );
  const send = (router: Router, symbols: readonly number[], nowMs = 0) =>
    router.route(request(nextId++, { symbols }), nowMs).decode!;

  it("takes the holder of most of the prompt that is not overloaded", () => {
    const router = routerWith();
    expect(send(router, [1, 2]).worker).toBe(0);
    // Loads 1, 0, 0: mean 1/3, sample deviation 0.58; worker 0 is above 0.91.
    expect(send(router, [1, 2])).toMatchObject({ worker: 1, branch: "min_load" });
    // Loads 1, 1, 0: mean 2/3, deviation 0.58; both holders are within 1.24.
    expect(send(router, [1, 2])).toMatchObject({ worker: 0, branch: "prefix_hit" });
  });

  it("counts a worker exactly at mean + deviation as not overloaded", () => {
    const router = routerWith({ stddev_factor: 0 }, 1);
    send(router, [1]);
    expect(send(router, [1])).toMatchObject({ branch: "prefix_hit", figures: { bound: 1 } });
  });

  it("takes who holds more before who has less to do, and less to do among equal holders", () => {
    const router = routerWith({ stddev_factor: 100 });
    expect(send(router, [1]).worker).toBe(0);
    expect(send(router, [7]).worker).toBe(1);
    expect(send(router, [1, 2])).toMatchObject({ worker: 0, branch: "prefix_hit" });
    // Worker 2 comes to hold [1], too, while worker 0 is down.
    router.setHealthy(0, false, 0);
    expect(send(router, [1]).worker).toBe(2);
    router.setHealthy(0, true, 0);
    expect(send(router, [1, 2])).toMatchObject({ worker: 0, figures: { held_units: 1024 } });
    expect(send(router, [1])).toMatchObject({ worker: 2, figures: { held_units: 512 } });
  });

  it.each([
    [8, "prefix_hit"],
    [9, "balance"],
  ])("with a difference of %i open requests (bound 8, strict), goes by %s", (difference, branch) => {
    const router = routerWith({ stddev_factor: 100 });
    for (let i = 0; i < difference; i++) send(router, [1]);
    expect(send(router, [1]).branch).toBe(branch);
  });

  it("out of balance, takes a holder among the least loaded workers", () => {
    const router = routerWith({ stddev_factor: 100, imbalance_abs_threshold: 1 });
    send(router, [1]);
    send(router, [1]);
    router.setHealthy(0, false, 0);
    router.setHealthy(1, false, 0);
    expect(send(router, [5]).worker).toBe(2);
    complete(router, nextId - 1);
    router.setHealthy(0, true, 0);
    router.setHealthy(1, true, 0);
    expect(send(router, [5])).toMatchObject({ worker: 2, branch: "prefix_hit_unbalanced" });
  });

  it("forgets a prefix after index_ttl_s", () => {
    const router = routerWith({ index_ttl_s: 10 });
    send(router, [1], 0);
    complete(router, nextId - 1);
    expect(send(router, [1], 10_000).branch).toBe("prefix_hit");
    complete(router, nextId - 1);
    expect(send(router, [1], 20_001).branch).toBe("min_load");
  });
});

describe("aibrix_pd with order joint", () => {
  const fleet: WorkerSpec[] = [
    { id: "p-a", leg: "prefill", group: "a" },
    { id: "d-a", leg: "decode", group: "a" },
    { id: "p-b", leg: "prefill", group: "b" },
    { id: "d-b", leg: "decode", group: "b" },
  ];
  const routerWith = (settings: Record<string, unknown> = {}, workers = fleet) =>
    new Router(resolveRouterConfig({ preset: "aibrix", ...settings }).config, workers, 3);
  const stats = (running: number, kvUsage = 0) => ({ running, waiting: 0, kvUsage, atMs: 0 });
  const route = (router: Router, symbols: readonly number[] = []) => {
    const { prefill, decode } = router.route(request(nextId++, { symbols }), 0);
    return { prefill: prefill!, decode: decode! };
  };

  it("keeps both legs in one roleset", () => {
    const router = routerWith();
    for (let i = 0; i < 100; i++) {
      const { prefill, decode } = route(router, [i % 7]);
      expect(decode.worker).toBe(prefill.worker + 1);
    }
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

  const onePrefill: WorkerSpec[] = [
    { id: "p", leg: "prefill" },
    { id: "d-0", leg: "decode" },
    { id: "d-1", leg: "decode" },
  ];

  it.each([
    // The worker's own prompt is held by nobody, by a whole percentage, and wholly.
    [[9], 10],
    [[1, 2, 9], (100 - 66) * 0.1],
    [[1, 2], 0],
  ])("costs a prefill worker a tenth of each percent of %j that it does not hold", (symbols, cost) => {
    const router = routerWith({}, onePrefill);
    route(router, [1, 2]);
    complete(router, nextId - 1);
    const { prefill } = route(router, symbols);
    expect(prefill).toMatchObject({ branch: "prefix_cache" });
    expect(prefill.figures["cost"]).toBeCloseTo(cost, 12);
  });

  it("adds open prefills against the most of any worker, or goes by them alone", () => {
    const twoPrefills: WorkerSpec[] = [
      { id: "p-0", leg: "prefill" },
      { id: "p-1", leg: "prefill" },
      { id: "d", leg: "decode" },
    ];
    const costOfThird = (prefill_score: string) => {
      const router = routerWith({ prefill_score, stddev_factor: 100 }, twoPrefills);
      for (let i = 0; i < 4; i++) route(router);
      for (const id of [nextId - 1, nextId - 2]) router.onLegEnd(id, "prefill", "completed", 0);
      const open = [0, 1].map((worker) => router.load.open(worker));
      return {
        cost: route(router).prefill.figures["cost"],
        least: Math.min(...open),
        most: Math.max(...open),
      };
    };
    const scored = costOfThird("prefix_cache");
    expect(scored.cost).toBeCloseTo(10 + scored.least / scored.most, 12);
    const counted = costOfThird("least_request");
    expect(counted.cost).toBe(counted.least);
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

  it("sends an unbalanced decode leg to the fewest running, though another has more free KV", () => {
    const router = routerWith({}, onePrefill);
    router.updateStats(1, stats(20, 0));
    router.updateStats(2, stats(4, 0.9));
    expect(route(router).decode).toMatchObject({ worker: 2, branch: "imbalance" });
  });

  it.each([
    [16, "prefix_cache"],
    [17, "imbalance"],
  ])("a prefill difference of %i open requests (above 16) goes by %s", (difference, branch) => {
    const router = routerWith({ stddev_factor: 1e9 });
    router.setHealthy(2, false, 0);
    for (let i = 0; i < difference; i++) route(router, [1]);
    router.setHealthy(2, true, 0);
    const { prefill } = route(router, [1]);
    expect(prefill.branch).toBe(branch);
    if (branch === "imbalance") expect(prefill.worker).toBe(2);
  });

  it("leaves prefill workers above mean + deviation out, whatever they hold", () => {
    const router = routerWith({ stddev_factor: 0 });
    const { prefill } = route(router, [1]);
    expect(route(router, [1]).prefill.worker).toBe(2 - prefill.worker);
  });

  it("binds the roleset by the prefill leg first, and the decode worker within it second", () => {
    const workers: WorkerSpec[] = [...fleet, { id: "d-b2", leg: "decode", group: "b" }];
    const router = routerWith({ prefill_imbalance_threshold: 0 }, workers);
    router.setHealthy(2, false, 0);
    route(router);
    router.setHealthy(2, true, 0);
    // The whole fleet's least loaded decode worker is in the other roleset.
    router.updateStats(1, stats(0));
    router.updateStats(3, stats(30, 0));
    router.updateStats(4, stats(14, 0.9));
    const bound = route(router);
    expect(bound.prefill).toMatchObject({ worker: 2, branch: "imbalance" });
    expect(bound.decode).toMatchObject({ worker: 4, branch: "imbalance" });
  });

  it.each([
    // (4 / 5 + 1) / (5 / 50), the worker with 5 % free; (5 / 5 + 1) / (50 / 50).
    [[4, 0.95], [5, 0.5], 2, 2],
    // (1 / 8 + 1) / (40 / 100) and (8 / 8 + 1) / (100 / 100).
    [[1, 0.6], [8, 0], 2, 2],
    [[1, 0.4], [8, 0], 1, 1.125 / 0.6],
    // Free KV counts in whole percents, and at least a tenth of one.
    [[1, 1], [8, 0.5], 2, 2],
    [[0, 0.5], [0, 0.504], 1, 1],
  ])(
    "of decode workers with running and KV use %j and %j takes %i at cost %f",
    (first, second, worker, cost) => {
      const router = routerWith({}, onePrefill);
      router.updateStats(1, stats(first[0]!, first[1]));
      router.updateStats(2, stats(second[0]!, second[1]));
      const { decode } = route(router);
      expect(decode.branch).toBe("load_balancing");
      if (first[0] !== second[0]) expect(decode.worker).toBe(worker);
      expect(decode.figures["cost"]).toBeCloseTo(cost, 12);
    },
  );

  it("counts requests still in prefill as running on their decode worker, until the prefill ends", () => {
    const router = routerWith({ decode_score: "least_request" }, onePrefill);
    router.updateStats(1, stats(3));
    router.updateStats(2, stats(5));
    expect(
      [route(router), route(router)].map(({ decode }) => [decode.worker, decode.figures["cost"]]),
    ).toEqual([
      [1, 3],
      [1, 4],
    ]);
    router.onLegEnd(nextId - 1, "prefill", "completed", 0);
    expect(route(router).decode).toMatchObject({ worker: 1, figures: { cost: 4 } });
  });

  it("costs a worker without statistics, while others have them, 1 and what is in prefill for it", () => {
    const router = routerWith({}, onePrefill);
    router.updateStats(2, stats(0));
    const costs = Array.from({ length: 4 }, () => route(router).decode.figures["cost"]!);
    // With statistics: 0 / 1 + 1, 1 / 1 + 1, ...; without: 1, 2, ...
    expect(costs).toEqual([1, 1, 2, 2]);
  });

  it("adds both legs' costs, each against the highest of its leg", () => {
    const router = routerWith();
    router.setHealthy(2, false, 0);
    route(router, [1]);
    complete(router, nextId - 1);
    router.setHealthy(2, true, 0);
    router.updateStats(1, stats(8, 0.5));
    router.updateStats(3, stats(0));
    // Roleset a: 5 of 10 and (8 / 8 + 1) / 0.5 = 4 of 4; b: 10 of 10 and 1 of 4. As they stand a would be cheaper.
    expect(route(router, [1, 9])).toMatchObject({
      prefill: { worker: 2, figures: { cost: 10, scale: 10, joint_cost: 1.25 } },
      decode: { worker: 3, figures: { cost: 1, scale: 4, joint_cost: 1.25 } },
    });
  });

  it("falls back to decoding alone, by the same scores, without a prefill worker", () => {
    const router = routerWith({ without_prefill_worker: "decode_only" });
    router.setHealthy(0, false, 0);
    router.setHealthy(2, false, 0);
    expect(router.route(request(nextId++), 0)).toMatchObject({ path: "decode_only", prefill: null });
  });

  it("rejects when the prefill worker it is bound to has no decode worker in its roleset", () => {
    const router = routerWith({ prefill_imbalance_threshold: 0 });
    router.setHealthy(2, false, 0);
    route(router);
    router.setHealthy(2, true, 0);
    router.setHealthy(3, false, 0);
    expect(router.route(request(nextId++), 0)).toMatchObject({
      path: "rejected",
      branch: "no_prefill_worker",
    });
  });
});
