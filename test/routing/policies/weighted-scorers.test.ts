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

  it.each([
    // Waiting 0, 8, 4 and running 4, 0, 2; score of the worker chosen among the healthy.
    ["load_aware_weight", [1, 2], 2, 0.5 * (1 - 4 / 128)],
    ["queue_weight", [0, 2], 0, 1],
    ["queue_weight", [1], 1, 1],
    ["running_weight", [0, 2], 2, 1],
    ["running_weight", [0], 0, 1],
  ])("%s among workers %j picks %i with score %f", (weight, healthy, worker, score) => {
    const router = scored({ [weight]: 1 });
    for (const other of [0, 1, 2]) router.setHealthy(other, healthy.includes(other), 0);
    const decision = send(router, [1]);
    expect(decision.worker).toBe(worker);
    expect(decision.figures["score"]).toBeCloseTo(score, 12);
  });

  it("scores the middle of the fleet between its extremes", () => {
    const running = scored({ running_weight: 1, kv_weight: 100 });
    // Worker 2: (4 - 2) / (4 - 0), and 1 - 0.1 of KV.
    expect(send(running, [1]).figures["score"]).toBeCloseTo(0.5 + 90, 12);
  });

  it("scores a queue of 128 and more as 0", () => {
    const router = scored({ load_aware_weight: 1, picker: "random" });
    for (const worker of [0, 1, 2]) router.updateStats(worker, stats(0, 128 * (worker + 1), 0));
    expect(send(router, [1]).figures["score"]).toBe(0);
  });

  it("scores a worker without statistics as idle", () => {
    const router = routerWith(
      { policy: "weighted_scorers", ...onlyWeights, kv_weight: 1, queue_weight: 1 },
      2,
    );
    router.updateStats(0, stats(9, 9, 0.9));
    expect(send(router, [1])).toMatchObject({ worker: 1, figures: { score: 2 } });
  });

  it("scores open requests against the most of any worker, and none as 1", () => {
    const router = routerWith({ policy: "weighted_scorers", ...onlyWeights, active_weight: 1 }, 2);
    const one = send(router, [1]);
    expect(one.figures["score"]).toBe(1);
    expect(send(router, [1])).toMatchObject({ worker: 1 - one.worker, figures: { score: 1 } });
    expect(send(router, [1]).figures["score"]).toBe(0);
    // Open 2 and 1: (2 - 1) / 2.
    expect(send(router, [1]).figures["score"]).toBe(0.5);
  });

  it("scores 2.5 times the open prompt tokens against 4,194,304", () => {
    const router = routerWith({ policy: "weighted_scorers", ...onlyWeights, token_weight: 1 }, 1);
    const score = (promptTokens: number) =>
      router.route(request(nextId++, { promptTokens }), 0).decode!.figures["score"];
    expect(score(400_000)).toBe(1);
    expect(score(2_000_000)).toBeCloseTo(1 - 1_000_000 / 4_194_304, 12);
    expect(score(1)).toBe(0);
  });

  it("scores the share of the prompt that is held, of what is looked up", () => {
    const score = (symbols: number[], max_prefix_units: number | null) => {
      const router = routerWith(
        { policy: "weighted_scorers", ...onlyWeights, prefix_weight: 1, max_prefix_units },
        1,
      );
      remember(router, [1, 2, 3]);
      return send(router, symbols).figures["score"];
    };
    expect(score([1, 2, 8, 9], null)).toBe(0.5);
    expect(score([1, 2, 8, 9], 1536)).toBeCloseTo(2 / 3, 12);
    expect(score([1, 2, 3, 9], 1024)).toBe(1);
    expect(score([], null)).toBe(0);
  });

  it("forgets sessions and prefixes of a worker whose cache is gone", () => {
    const router = routerWith(
      { policy: "weighted_scorers", ...onlyWeights, session_weight: 1, prefix_weight: 1 },
      1,
    );
    const score = () =>
      router.route(request(nextId++, { symbols: [1], sessionKey: "s" }), 0).decode!.figures["score"];
    expect([score(), score()]).toEqual([0, 2]);
    router.forgetWorker(0);
    expect(score()).toBe(0);
  });

  it("goes by KV events when told to, and by what it routed for speculative_s", () => {
    const router = routerWith(
      {
        policy: "weighted_scorers",
        ...onlyWeights,
        prefix_weight: 1,
        kv_index: "kv_events",
        speculative_s: 3,
      },
      1,
    );
    const held = (nowMs: number) => remember(router, [1, 2], nowMs).figures["held_units"];
    expect([held(0), held(2999), held(9000)]).toEqual([0, 1024, 0]);
    stored(router, 0, 1);
    expect(held(20_000)).toBe(512);
  });

  it("gives cold prompts one worker's turn only when nothing of them is held anywhere", () => {
    const router = routerWith({
      policy: "weighted_scorers",
      ...onlyWeights,
      no_hit_lru_weight: 1,
      session_weight: 9,
    });
    const at = (sessionKey: string | null, symbols: number[]) => {
      const { worker, figures } = router.route(request(nextId++, { sessionKey, symbols }), 0).decode!;
      return [worker, figures["score"]];
    };
    expect(at(null, [1])).toEqual([0, 1]);
    expect(at(null, [2])).toEqual([1, 1]);
    // A hit moves nobody in the order: worker 2 is next, then worker 0.
    expect(at("s", [1])[1]).toBe(0.5);
    expect(at(null, [3])).toEqual([2, 1]);
    expect(at(null, [4])).toEqual([0, 1]);
  });

  it("picks any worker under picker random, and none of score 0 under weighted_random", () => {
    const tallies = (picker: string) => {
      const router = scored({ kv_weight: 1, picker });
      router.updateStats(0, stats(0, 0, 1));
      const counts = [0, 0, 0];
      for (let i = 0; i < 300; i++) counts[remember(router, [i]).worker]!++;
      return counts;
    };
    for (const count of tallies("random")) expect(Math.abs(count - 100)).toBeLessThan(45);
    expect(tallies("weighted_random")[0]).toBe(0);
  });

  it("costs, for order joint, what each score lacks of the highest", () => {
    const router = routerOf(
      { decider: "always", order: "joint", policy: "weighted_scorers", ...onlyWeights, kv_weight: 1 },
      { prefill: 1, decode: 2 },
    );
    router.updateStats(1, stats(0, 0, 0.75));
    router.updateStats(2, stats(0, 0, 0.25));
    expect(router.route(request(nextId++), 0).decode).toMatchObject({
      worker: 2,
      figures: { cost: 0, scale: 0.5 },
    });
  });
});
