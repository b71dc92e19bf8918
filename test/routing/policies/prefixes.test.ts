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

  it("says that it needs the events", () => {
    expect(routerWith({ policy: "precise_prefix" }).usesKvEvents()).toBe(true);
    expect(routerWith({ policy: "dynamo_kv" }).usesKvEvents()).toBe(false);
    expect(routerWith({ policy: "dynamo_kv", kv_index: "kv_events" }).usesKvEvents()).toBe(true);
  });
});

describe("dynamo_kv", () => {
  const settings = { policy: "dynamo_kv", kv_block_size: 512 };

  it("adds what is being prefilled, less what is held, and what is open", () => {
    const router = routerWith(settings, 2);
    // Held: 4 blocks. Open: 4 blocks, being prefilled: 4 blocks.
    const { worker } = send(router, [1, 2, 3, 4]);
    // There: 4 prefilling + 4 of the prompt - 4 held + 4 open = 8. Elsewhere: 4.
    expect(send(router, [1, 2, 3, 4])).toMatchObject({ worker: 1 - worker, figures: { cost: 4 } });
  });

  it("stops counting a prefill that has ended", () => {
    const router = routerWith(settings, 2);
    const { worker } = send(router, [1, 2, 3, 4]);
    router.onPrefillEnd(nextId - 1, 1);
    // There: 4 - 4 + 4 open = 4. Elsewhere: 4 as well, plus one more open block.
    send(router, [9]);
    expect(remember(router, [1, 2, 3, 4])).toMatchObject({ worker, figures: { cost: 4 } });
  });

  it("fades the credit of a worker with much to prefill", () => {
    const cost = (overlap_credit_decay: number) => {
      const router = routerWith({ ...settings, overlap_credit_decay, track_decode_blocks: false }, 1);
      send(router, [1, 2, 3, 4]);
      return send(router, [1, 2, 3, 4]).figures["cost"]!;
    };
    expect(cost(0)).toBe(4);
    // Alone, a worker has no excess over the least busy one.
    expect(cost(5)).toBe(4);
  });

  it("multiplies prefill and decode blocks under lmetric", () => {
    const router = routerWith({ ...settings, selection: "lmetric" }, 1);
    send(router, [1, 2]);
    expect(send(router, [5])).toMatchObject({ branch: "lmetric", figures: { cost: (2 + 1) * (2 + 1) } });
  });

  it("looks at open blocks alone on a decode worker without prefill tokens", () => {
    const router = routerWith({ ...settings, track_prefill_tokens: false, overlap_score_credit: 0 }, 1);
    send(router, [1, 2]);
    expect(send(router, [5]).figures["cost"]).toBe(2);
  });

  it("draws by softmax at a temperature, and the lowest cost most often", () => {
    const router = routerWith({ ...settings, router_temperature: 0.5 }, 2);
    send(router, [1, 2, 3, 4]);
    const busy = send(router, [7]).worker;
    const counts = [0, 0];
    for (let i = 0; i < 400; i++) counts[remember(router, [100 + i]).worker]!++;
    expect(Math.min(...counts)).toBeGreaterThan(20);
    expect(counts[busy]).toBeLessThan(400);
  });

  it("lets a routed prefix go after its time", () => {
    const router = routerWith({ ...settings, index_ttl_s: 10 }, 1);
    remember(router, [1, 2], 0);
    expect(remember(router, [1, 2], 10_000).figures["held_units"]).toBe(1024);
    expect(remember(router, [1, 2], 20_001).figures["held_units"]).toBe(0);
  });
});

describe("dynamo_two_tier", () => {
  const first = { policy: "dynamo_two_tier", ties: "first" };

  it.each([
    [2, 0, "cache_hit"],
    [3, 0, "balance"],
    [6, 3, "cache_hit"],
    [7, 3, "balance"],
  ])("with loads %i and %i (thresholds 2 and 2, strict) goes by %s", (high, low, branch) => {
    const router = routerWith({ ...first, balance_abs_threshold: 2, balance_rel_threshold: 2 }, 2);
    remember(router, [1]);
    for (let i = 0; i < low; i++) {
      send(router, [100 + 2 * i]);
      send(router, [101 + 2 * i]);
    }
    for (let i = low; i < high; i++) send(router, [1]);
    expect(send(router, [1])).toMatchObject({ branch, figures: { max_load: high, min_load: low } });
  });

  it.each([
    [0.5, "min_load"],
    [0.49, "cache_hit"],
  ])("a match of exactly half the prompt against a threshold of %f goes by %s", (cache_threshold, branch) => {
    const router = routerWith({ ...first, cache_threshold });
    remember(router, [1, 2]);
    expect(send(router, [1, 2, 3, 4])).toMatchObject({ branch, figures: { match_rate: 0.5 } });
  });

  it("takes the least loaded of those that hold most, and no load of workers that are down", () => {
    const router = routerWith({ ...first, balance_abs_threshold: 1 });
    for (let i = 0; i < 3; i++) send(router, [1, 2]);
    router.setHealthy(2, false, 0);
    // Worker 0 has two open, worker 1 one; both hold it.
    expect(send(router, [1, 2])).toMatchObject({ worker: 1, branch: "cache_hit" });
    router.setHealthy(0, false, 0);
    router.setHealthy(2, true, 0);
    expect(send(router, [1, 2])).toMatchObject({ branch: "balance", figures: { max_load: 2, min_load: 0 } });
  });

  it("forgets what was routed after index_ttl_s, or goes by KV events", () => {
    const router = routerWith({ ...first, index_ttl_s: 10 });
    remember(router, [1], 0);
    expect(remember(router, [1], 10_000).branch).toBe("cache_hit");
    expect(remember(router, [1], 20_001).branch).toBe("min_load");
    const precise = routerWith({ ...first, kv_index: "kv_events" });
    expect(precise.usesKvEvents()).toBe(true);
    remember(precise, [1]);
    stored(precise, 2, 1);
    expect(remember(precise, [1])).toMatchObject({ worker: 2, branch: "cache_hit" });
  });

  it("looks at load first and at the cache second", () => {
    const router = routerWith({ policy: "dynamo_two_tier", balance_abs_threshold: 2 }, 2);
    const { worker } = send(router, [1, 2]);
    expect(send(router, [1, 2])).toMatchObject({ worker, branch: "cache_hit", policy: "dynamo_two_tier" });
    expect(send(router, [1, 2])).toMatchObject({ worker, branch: "cache_hit" });
    expect(send(router, [1, 2])).toMatchObject({ worker: 1 - worker, branch: "balance" });
  });
});

describe("weighted_scorers", () => {
  const onlyWeights = { queue_weight: 0, kv_weight: 0, prefix_weight: 0 };
  const stats = (running: number, waiting: number, kvUsage: number) => ({
    running,
    waiting,
    kvUsage,
    atMs: 0,
  });
  const scored = (weights: Record<string, unknown>) => {
    const router = routerWith({ policy: "weighted_scorers", ...onlyWeights, ...weights });
    router.updateStats(0, stats(4, 0, 0.9));
    router.updateStats(1, stats(0, 8, 0.5));
    router.updateStats(2, stats(2, 4, 0.1));
    return router;
  };

  it.each([
    ["queue_weight", 0, 1],
    ["running_weight", 1, 1],
    ["kv_weight", 2, 0.9],
    ["load_aware_weight", 0, 0.5],
  ])("%s alone picks worker %i with score %f", (weight, worker, score) => {
    const decision = send(scored({ [weight]: 1 }), [1]);
    expect(decision.worker).toBe(worker);
    expect(decision.figures["score"]).toBeCloseTo(score, 12);
  });

  it("adds the scores by their weights", () => {
    const decision = send(scored({ queue_weight: 2, kv_weight: 2 }), [1]);
    // 0: 2 * 1 + 2 * 0.1; 1: 0 + 2 * 0.5; 2: 2 * 0.5 + 2 * 0.9
    expect(decision.worker).toBe(2);
    expect(decision.figures["score"]).toBeCloseTo(2.8, 12);
  });

  it("prefers the holder of the prompt, looking up max_prefix_units at most", () => {
    const router = routerWith({ policy: "weighted_scorers", prefix_weight: 3, max_prefix_units: 1024 });
    const { worker } = remember(router, [1, 2, 3, 4]);
    for (let i = 0; i < 5; i++) {
      expect(remember(router, [1, 2, 9 + i])).toMatchObject({ worker, figures: { held_units: 1024 } });
    }
  });

  it("sends a session back to where it was last", () => {
    const router = routerWith({ policy: "weighted_scorers", ...onlyWeights, session_weight: 1 });
    const at = () => router.route(request(nextId++, { sessionKey: "s" }), 0).decode!.worker;
    const home = at();
    for (let i = 0; i < 10; i++) expect(at()).toBe(home);
  });

  it("spreads cold prompts over the workers that have waited longest for one", () => {
    const router = routerWith({ policy: "weighted_scorers", ...onlyWeights, no_hit_lru_weight: 1 });
    const order = Array.from({ length: 6 }, (_, i) => remember(router, [50 + i]).worker);
    expect(order).toEqual([0, 1, 2, 0, 1, 2]);
  });

  it("ranks cold prompts as llm-d does: those that never had one in fleet order, then the longest ago", () => {
    const router = routerWith({ policy: "weighted_scorers", ...onlyWeights, no_hit_lru_weight: 1 });
    router.setHealthy(0, false, 0);
    expect(remember(router, [50])).toMatchObject({ worker: 1, figures: { score: 1 } });
    router.setHealthy(0, true, 0);
    // Never used: 0 (rank 0) and 2 (rank 1); used: 1 (rank 2).
    router.setHealthy(0, false, 0);
    expect(remember(router, [51])).toMatchObject({ worker: 2, figures: { score: 1 } });
    router.setHealthy(0, true, 0);
    expect(remember(router, [52])).toMatchObject({ worker: 0, figures: { score: 1 } });
    expect(remember(router, [52])).toMatchObject({ figures: { score: 0.5 } });
    expect(remember(router, [53])).toMatchObject({ worker: 1, figures: { score: 1 } });
  });

  it("draws by score with the weighted_random picker", () => {
    const router = scored({ kv_weight: 1, picker: "weighted_random" });
    const counts = [0, 0, 0];
    for (let i = 0; i < 3000; i++) counts[remember(router, [i]).worker]!++;
    // Scores 0.1, 0.5 and 0.9.
    [200, 1000, 1800].forEach((expected, i) => expect(Math.abs(counts[i]! - expected)).toBeLessThan(150));
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

  it("sets prefixes aside when load is out of balance", () => {
    const router = routerWith({ policy: "ray_prefix_affinity", imbalanced_threshold: 1, ties: "first" }, 2);
    expect(send(router, [1]).worker).toBe(0);
    expect(send(router, [1]).branch).toBe("prefix_hit");
    expect(send(router, [1])).toMatchObject({ worker: 1, branch: "imbalanced" });
  });
});
