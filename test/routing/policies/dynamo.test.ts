import { describe, expect, it } from "vitest";
import type { Router } from "../../../src/routing/router.js";
import { CandidateSet } from "../../../src/routing/candidate-set.js";
import { ChangeLog } from "../../../src/routing/change-log.js";
import { Fleet } from "../../../src/routing/fleet.js";
import { policyNamed } from "../../../src/routing/registry.js";
import { resolveRouterConfig } from "../../../src/routing/router-config.js";
import { randomStream } from "../../../src/values/random.js";
import { complete, request, routerOf, workers } from "../builders.js";

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

describe("dynamo_kv", () => {
  const settings = { policy: "dynamo_kv", kv_block_size: 512 };
  /** What worker 0 of two costs a prompt, with [1, 2, 3, 4] routed there, still in prefill, and held. */
  const costOf = (changes: Record<string, unknown>, symbols: readonly number[]) => {
    const { params } = resolveRouterConfig({ ...settings, ...changes }).config.decodePolicy;
    const fleet = new Fleet(workers(0, 2), 2).of("decode", null);
    const policy = policyNamed("dynamo_kv").create(params, { leg: "decode", workers: fleet, fleetSize: 2 });
    const ledger = {
      changes: new ChangeLog(2),
      open: (worker: number) => (worker === 0 ? 1 : 0),
      openTokens: (worker: number) => (worker === 0 ? 2048 : 0),
      prefillTokens: () => 0,
    };
    const candidateSet = new CandidateSet(2);
    candidateSet.set(fleet);
    const context = {
      nowMs: 0,
      ledger,
      random: randomStream(1, "test"),
      statsChanges: new ChangeLog(2),
      workers: fleet,
      healthy: fleet,
      candidateSet,
      prefillsHere: true,
    };
    const busy = request(1, { symbols: [1, 2, 3, 4] });
    const decision = policy.pick(fleet.slice(0, 1), busy, context);
    policy.onRouted!(decision, busy, 0, true);
    policy.onPrefixHeld!(decision, busy, 0);
    const out = new Float64Array(2);
    policy.costs!(fleet, request(2, { symbols }), context, out);
    return out[0];
  };

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

  it.each([
    // The busy worker has 4 blocks to prefill and 4 open, of which the prompt holds 4 (whole), 2 or none.
    [{}, [1, 2, 3, 4], 4 + 4 - 4 + 4],
    [{ overlap_score_credit: 0.5 }, [1, 2, 3, 4], 4 + 4 - 2 + 4],
    [{ overlap_score_credit: 9 }, [1, 2, 3, 4], 0 + 4],
    [{ prefill_load_scale: 3 }, [1, 2, 3, 4], 3 * 4 + 4],
    [{ decode_active_request_weight: 7 }, [1, 2, 3, 4], 4 + 4 + 7],
    [{ track_decode_blocks: false }, [1, 2, 3, 4], 4],
    [{}, [1, 2, 8], 4 + 3 - 2 + 4],
    // The other worker is idle, so that the busy one has 4 blocks more: 4 / 2 = 2 prompts' worth.
    [{ overlap_credit_decay: 0.5 }, [1, 2], 4 + 2 - 2 / (1 + 0.5 * 2) + 4],
    [{ selection: "lmetric", overlap_credit_decay: 0.5 }, [1, 2], 5 * (4 + 1)],
    [{ track_prefill_tokens: false }, [1, 8], 4 - 1],
    [{ track_prefill_tokens: false, overlap_score_credit: 9 }, [1, 8], 0],
    [{ track_prefill_tokens: false, decode_active_request_weight: 7 }, [1, 8], 4 - 1 + 7],
  ])("%j: prompt %j costs %f blocks on a busy worker that holds some of it", (changes, symbols, cost) => {
    expect(costOf(changes, symbols)).toBeCloseTo(cost, 12);
  });

  it("counts a prompt in whole blocks, at least one, and a pending prefill by what was not held", () => {
    const router = routerWith({ ...settings, track_decode_blocks: false }, 1);
    const cost = (symbols: number[], promptTokens: number) =>
      router.route(request(nextId++, { symbols, promptTokens }), 0).decode!.figures["cost"];
    expect(cost([], 0)).toBe(1);
    expect(cost([1, 2], 513)).toBe(2);
    // 513 tokens are pending. Of [1, 2, 3] of 1,500 tokens 513 units were routed: two symbols, 1,024 tokens.
    expect(cost([1, 2, 3], 1500)).toBeCloseTo(513 / 512 + 3 - 2, 12);
    expect(cost([9], 512)).toBeCloseTo((513 + 1500 - 1024) / 512 + 1, 12);
  });

  it("charges a prefill to the worker that computes it, not to the one that decodes", () => {
    const router = routerOf(
      { decider: "always", order: "decode_first", policy: "dynamo_kv", kv_block_size: 512 },
      { prefill: 1, decode: 1 },
    );
    const costs = () => {
      const { prefill, decode } = router.route(request(nextId++, { symbols: [nextId, -1] }), 0);
      return [prefill!.figures["cost"], decode!.figures["cost"]];
    };
    expect(costs()).toEqual([2, 2]);
    // Prefill: 2 pending + 2 + 2 open; decode: nothing pending + 2 + 2 open.
    expect(costs()).toEqual([6, 4]);
  });

  it("draws with chances by exp(-(cost - min) / (max - min) / T)", () => {
    const router = routerWith({ ...settings, router_temperature: 0.5 }, 2);
    router.setHealthy(1, false, 0);
    send(router, [1, 2, 3, 4]);
    router.setHealthy(1, true, 0);
    const counts = [0, 0];
    for (let i = 0; i < 4000; i++) counts[remember(router, [100 + i]).worker]!++;
    // exp(-1 / 0.5) against exp(0): 11.9 % of 4,000.
    const expected = (4000 * Math.exp(-2)) / (1 + Math.exp(-2));
    expect(Math.abs(counts[0]! - expected)).toBeLessThan(80);
  });

  it("draws evenly from equal costs", () => {
    const router = routerWith({ ...settings, router_temperature: 0.01 }, 4);
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 2000; i++) counts[remember(router, [5000 + i]).worker]!++;
    for (const count of counts) expect(Math.abs(count - 500)).toBeLessThan(100);
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
