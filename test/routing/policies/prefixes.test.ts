import { describe, expect, it } from "vitest";
import type { Router } from "../../../src/routing/router.js";
import { complete, request, routerOf } from "../builders.js";

const routerWith = (settings: Record<string, unknown>, decode = 3) =>
  routerOf({ decider: "never", ...settings }, { prefill: 0, decode });

let nextId = 0;
const send = (router: Router, symbols: readonly number[], nowMs = 0) =>
  router.route(request(nextId++, { symbols }), nowMs).decode!;
const remember = (router: Router, symbols: readonly number[], nowMs = 0) => {
  const decision = send(router, symbols, nowMs);
  complete(router, nextId - 1, nowMs);
  return decision;
};
const stored = (router: Router, worker: number, ...symbols: number[]) =>
  router.onKvEvent({ worker, kind: "stored", symbols: Int32Array.from(symbols) });

describe("prefix_aware", () => {
  it("takes any worker that saw the longest match, whatever its load", () => {
    const router = routerWith({ policy: "prefix_aware" });
    const { worker, branch } = send(router, [1, 2, 3]);
    expect(branch).toBe("no_match");
    for (let i = 0; i < 50; i++)
      expect(send(router, [1, 2, 3])).toMatchObject({ worker, branch: "prefix_hit" });
  });

  it("looks at the holders of each prompt anew", () => {
    const router = routerWith({ policy: "prefix_aware" });
    const one = send(router, [1]).worker;
    router.setHealthy(one, false, 0);
    const other = send(router, [2]).worker;
    router.setHealthy(one, true, 0);
    for (let i = 0; i < 20; i++) {
      expect(send(router, [1]).worker).toBe(one);
      expect(send(router, [2]).worker).toBe(other);
    }
  });

  it("counts request rates over 60 s for matches that are too short", () => {
    const router = routerWith({ policy: "prefix_aware", prefix_min_match_length: 1e9 }, 2);
    const at = (nowMs: number) => send(router, [1], nowMs).worker;
    // The arrival of 0 s has left the window at 60.001 s, that of 1 s has not.
    expect([at(0), at(1000), at(60_001)]).toEqual([0, 1, 0]);
    expect([at(60_500), at(60_900)]).toEqual([0, 1]);
  });

  it("takes a worker that saw less while those that saw most are down", () => {
    const router = routerWith({ policy: "prefix_aware" });
    const first = send(router, [1, 2, 3]).worker;
    router.setHealthy(first, false, 0);
    const second = send(router, [1, 8]).worker;
    for (let i = 0; i < 20; i++) {
      expect(send(router, [1, 2, 3])).toMatchObject({ worker: second, branch: "prefix_hit" });
    }
  });

  it("leaves matches that are too short to the request rates", () => {
    const router = routerWith({ policy: "prefix_aware", prefix_min_match_length: 1000 });
    const workers = [1, 2, 3].map((i) => send(router, [9, i]).worker);
    expect(new Set(workers).size).toBe(3);
    expect(send(router, [9, 1])).toMatchObject({ branch: "prefix_hit" });
  });
});

describe("precise_prefix", () => {
  it("goes by the engines' events, not by what was routed", () => {
    const router = routerWith({ policy: "precise_prefix", ties: "first", speculative_s: 0 });
    expect(remember(router, [1, 2]).worker).toBe(0);
    expect(remember(router, [1, 2])).toMatchObject({ worker: 0, branch: "min_load" });
    stored(router, 2, 1, 2);
    expect(remember(router, [1, 2])).toMatchObject({ worker: 2, branch: "prefix_hit" });
    router.onKvEvent({ worker: 2, kind: "removed", symbols: Int32Array.of(1) });
    expect(remember(router, [1, 2]).branch).toBe("min_load");
    stored(router, 2, 1);
    router.onKvEvent({ worker: 2, kind: "cleared", symbols: new Int32Array(0) });
    expect(remember(router, [1, 2]).branch).toBe("min_load");
  });

  it("takes a routed prompt to be held for a while, until its event may have come", () => {
    const router = routerWith({ policy: "precise_prefix", ties: "first", speculative_s: 2 });
    send(router, [1, 2], 0);
    expect(send(router, [1, 2], 1999)).toMatchObject({ worker: 0, branch: "prefix_hit" });
    expect(send(router, [7], 5000).branch).toBe("min_load");
    expect(send(router, [1, 2], 9000).branch).toBe("min_load");
  });

  it("settles equal matches by load, and weighs load against the match when told to", () => {
    const heldBy = (settings: Record<string, unknown>) => {
      const router = routerWith({ policy: "precise_prefix", speculative_s: 0, ...settings }, 2);
      stored(router, 0, 1, 2);
      stored(router, 1, 1);
      for (let i = 0; i < 3; i++) send(router, [1, 2]);
      return send(router, [1, 2]).worker;
    };
    expect(heldBy({})).toBe(0);
    expect(heldBy({ load_weight: 2 })).toBe(1);
  });

  it("scores a match less load against the most open requests", () => {
    const router = routerWith(
      { policy: "precise_prefix", speculative_s: 0, load_weight: 0.5, ties: "first" },
      2,
    );
    stored(router, 0, 1, 2);
    stored(router, 1, 1);
    const cost = () => send(router, [1, 2]).figures["cost"]!;
    // 1 - match + 0.5 * open / most open: 0, then 0.5 on either, the first of which is worker 0.
    expect(cost()).toBeCloseTo(0, 12);
    expect(cost()).toBeCloseTo(0.5, 12);
    // Two open on worker 0: 0 + 0.5 there, 0.5 + 0 on worker 1.
    expect(cost()).toBeCloseTo(0.5, 12);
    router.setHealthy(0, false, 0);
    expect(cost()).toBeCloseTo(0.5, 12);
    router.setHealthy(0, true, 0);
    // Three open on worker 0, one on worker 1: 0.5, and 0.5 + 0.5 / 3.
    expect(send(router, [1, 2])).toMatchObject({ worker: 0 });
    router.setHealthy(0, false, 0);
    expect(cost()).toBeCloseTo(0.5 + 0.5, 12);
  });

  it("says that it needs the events", () => {
    expect(routerWith({ policy: "precise_prefix" }).usesKvEvents()).toBe(true);
    expect(routerWith({ policy: "dynamo_kv" }).usesKvEvents()).toBe(false);
    expect(routerWith({ policy: "dynamo_kv", kv_index: "kv_events" }).usesKvEvents()).toBe(true);
  });
});

describe("ray_prefix_affinity", () => {
  it("goes to the holder from the threshold on (inclusive), else to the smallest tree", () => {
    const router = routerWith({ policy: "ray_prefix_affinity", match_rate_threshold: 0.5, ties: "first" });
    expect(remember(router, [1, 2])).toMatchObject({ worker: 0, branch: "smallest_tree" });
    expect(remember(router, [5])).toMatchObject({ worker: 1, branch: "smallest_tree" });
    expect(remember(router, [1, 2, 3, 4])).toMatchObject({ worker: 0, branch: "prefix_hit" });
    expect(remember(router, [5, 6, 7])).toMatchObject({ worker: 2, branch: "smallest_tree" });
  });

  it("measures imbalance as a difference", () => {
    const router = routerWith({ policy: "ray_prefix_affinity", imbalanced_threshold: 1, ties: "first" }, 2);
    for (let i = 0; i < 4; i++) send(router, [10 + i]);
    expect([0, 1].map((worker) => router.load.open(worker))).toEqual([2, 2]);
    expect(send(router, [1]).branch).toBe("smallest_tree");
  });

  it("takes a worker that holds less while those that hold most are down", () => {
    const router = routerWith({ policy: "ray_prefix_affinity", ties: "first" });
    expect(remember(router, [1, 2, 3]).worker).toBe(0);
    router.setHealthy(0, false, 0);
    expect(remember(router, [1, 9]).worker).toBe(1);
    for (let i = 0; i < 3; i++) {
      expect(remember(router, [1, 2, 3])).toMatchObject({ worker: 1, branch: "prefix_hit" });
    }
  });

  it("sets prefixes aside when load is out of balance", () => {
    const router = routerWith({ policy: "ray_prefix_affinity", imbalanced_threshold: 1, ties: "first" }, 2);
    expect(send(router, [1]).worker).toBe(0);
    expect(send(router, [1]).branch).toBe("prefix_hit");
    expect(send(router, [1])).toMatchObject({ worker: 1, branch: "imbalanced" });
  });
});
