import { describe, expect, it } from "vitest";
import { resolveRouterConfig } from "../../../src/routing/router-config.js";
import { Router } from "../../../src/routing/router.js";
import type { WorkerSpec } from "../../../src/routing/types.js";
import { complete, request, routerOf } from "../builders.js";

/** One prefill and one decode worker; the decode worker holds the first `held` of `prompt` blocks of 100 tokens. */
function decide(decider: Record<string, unknown>, prompt: number, held: number) {
  const router = routerOf(
    { decider, order: "decode_first", policy: "cache_aware" },
    { prefill: 1, decode: 1 },
  );
  const symbols = Array.from({ length: prompt }, (_, i) => i + 1);
  if (held > 0) {
    router.route(
      { ...request(1, { symbols: symbols.slice(0, held), unitsPerSymbol: 100 }), decodeOnly: "x" },
      0,
    );
    complete(router, 1);
  }
  return router.route(request(2, { symbols, unitsPerSymbol: 100 }), 0);
}

describe("uncached_tokens", () => {
  it.each([
    [500, 5, 0, "disaggregated"],
    [500, 10, 5, "disaggregated"],
    [500, 10, 6, "decode_only"],
    [501, 5, 0, "decode_only"],
    [0, 5, 5, "disaggregated"],
  ])("from %i uncached tokens on, %i blocks of which %i are held go the %s way", (n, prompt, held, path) => {
    const decider = { kind: "uncached_tokens", disaggregate_at_uncached_tokens: n };
    expect(decide(decider, prompt, held).path).toBe(path);
  });

  it("counts as ever above 0, whatever 0 means", () => {
    const decider = { kind: "uncached_tokens", disaggregate_at_uncached_tokens: 1, zero_means: "never" };
    expect(decide(decider, 1, 0)).toMatchObject({ path: "disaggregated", branch: "at_or_above_threshold" });
  });

  it("never disaggregates at 0 where the product says so", () => {
    const decider = { kind: "uncached_tokens", disaggregate_at_uncached_tokens: 0, zero_means: "never" };
    expect(decide(decider, 50, 0)).toMatchObject({ path: "decode_only", branch: "switched_off" });
  });

  it("keeps an index of its own where the policy has none", () => {
    const router = routerOf({
      decider: { kind: "uncached_tokens", disaggregate_at_uncached_tokens: 300 },
      order: "decode_first",
      policy: "round_robin",
      decode_policy: "consistent_hash",
    });
    const symbols = [1, 2, 3, 4];
    const send = (id: number) =>
      router.route(request(id, { symbols, unitsPerSymbol: 100, sessionKey: "s" }), 0);
    expect(send(1)).toMatchObject({ path: "disaggregated", figures: { uncached_tokens: 400 } });
    expect(send(2)).toMatchObject({ path: "decode_only", figures: { cached_tokens: 400 } });
  });
});

describe("effective_length", () => {
  const decider = { kind: "effective_length", eff_isl_threshold: 1000, eff_isl_ratio_threshold: 0.5 };

  it.each([
    [20, 11, "decode_only", "short"],
    [20, 10, "disaggregated", "disaggregate"],
    [9, 0, "disaggregated", "disaggregate"],
    [25, 15, "disaggregated", "disaggregate"],
    [25, 16, "decode_only", "short"],
  ])("a prompt of %i blocks of which %i are held goes the %s way (%s)", (prompt, held, path, branch) => {
    expect(decide(decider, prompt, held)).toMatchObject({ path, branch });
  });

  it.each([
    // 3 of 10 held leave exactly 0.7 of the prompt, 4 of 10 leave 0.6.
    [10, 3, "disaggregate"],
    [10, 4, "short"],
  ])("takes a share of exactly the threshold for not short: %i blocks, %i held", (prompt, held, branch) => {
    const exact = { kind: "effective_length", eff_isl_threshold: 1e6, eff_isl_ratio_threshold: 0.7 };
    expect(decide(exact, prompt, held).branch).toBe(branch);
  });

  it("takes a prompt of one token for whole, and an empty one for short", () => {
    const router = conditional({ ...decider, eff_isl_ratio_threshold: 1 }, null, null);
    expect(router.route(request(1, { promptTokens: 1 }), 0)).toMatchObject({
      branch: "disaggregate",
      figures: { effective_tokens: 1, effective_ratio: 1 },
    });
    expect(router.route(request(2, { promptTokens: 0 }), 0).figures).toMatchObject({ effective_ratio: 0 });
  });
});

/** A router whose prefill worker has `budget` tokens a step and whose decode worker holds `capacity` tokens. */
function conditional(decider: Record<string, unknown>, budget: number | null, capacity: number | null) {
  const workers: WorkerSpec[] = [
    { id: "p", leg: "prefill", maxNumBatchedTokens: budget },
    { id: "d", leg: "decode", kvCapacityTokens: capacity },
  ];
  return new Router(
    resolveRouterConfig({ decider, order: "decode_first", policy: "in_flight" }).config,
    workers,
    1,
  );
}

describe("prefill_busy", () => {
  const decider = { kind: "prefill_busy", prefill_busy_threshold: 2 };

  it.each([
    [2000, "disaggregated"],
    [2001, "decode_only"],
  ])("with %i tokens being prefilled and room for 2 x 1000, a request goes the %s way", (tokens, path) => {
    const router = conditional(decider, 1000, null);
    router.route(request(1, { promptTokens: tokens }), 0);
    expect(router.route(request(2, { promptTokens: 10 }), 0).path).toBe(path);
    router.onPrefillEnd(1, 1);
    expect(router.route(request(3, { promptTokens: 10 }), 1).path).toBe("disaggregated");
  });

  it("takes 8,192 tokens a step where the worker does not say", () => {
    const router = conditional(decider, null, null);
    router.route(request(1, { promptTokens: 16_385 }), 0);
    expect(router.route(request(2, { promptTokens: 10 }), 0).path).toBe("decode_only");
  });

  it.each([
    [null, "disaggregated", "decode_busy"],
    [4600, "decode_only", "prefill_busy"],
    [4599, "disaggregated", "decode_busy"],
  ])(
    "with a decode worker of %j tokens and half as the bound, goes the %s way (%s)",
    (capacity, path, branch) => {
      const router = conditional({ ...decider, decode_busy_threshold: 0.5 }, 1000, capacity);
      router.route(request(1, { promptTokens: 2200 }), 0);
      expect(router.route(request(2, { promptTokens: 100 }), 0)).toMatchObject({ path, branch });
    },
  );
});

describe("prefill_busy without a prefill worker", () => {
  it("stays local, even where such requests are rejected", () => {
    const router = routerOf({
      decider: { kind: "prefill_busy", prefill_busy_threshold: 1 },
      order: "decode_first",
      without_prefill_worker: "reject",
    });
    for (const worker of [0, 1]) router.setHealthy(worker, false, 0);
    expect(router.route(request(1), 0)).toMatchObject({
      path: "decode_only",
      branch: "prefill_busy",
      figures: {},
    });
  });

  it("does not, for a prompt of any length, where the decode worker's KV capacity is unknown and a veto is set", () => {
    const decider = { kind: "prefill_busy", prefill_busy_threshold: 0, decode_busy_threshold: 1 };
    const router = conditional(decider, 1000, null);
    router.route(request(1, { promptTokens: 1 }), 0);
    router.onLegEnd(1, "decode", "completed", 0);
    expect(router.route(request(2, { promptTokens: 0 }), 0)).toMatchObject({
      path: "disaggregated",
      branch: "decode_busy",
      figures: { decode_tokens: 0, decode_capacity_tokens: 0 },
    });
  });
});

describe("length_or_load", () => {
  it("stays local for a short rest or a busy prefill worker", () => {
    const decider = { kind: "length_or_load", eff_isl_threshold: 100, eff_isl_ratio_threshold: 2 };
    const router = conditional(decider, 1000, null);
    expect(router.route(request(1, { promptTokens: 99 }), 0)).toMatchObject({ branch: "short" });
    expect(router.route(request(2, { promptTokens: 1001 }), 0)).toMatchObject({ branch: "disaggregate" });
    expect(router.route(request(3, { promptTokens: 500 }), 0)).toMatchObject({
      path: "decode_only",
      branch: "prefill_busy",
    });
  });
});

describe("length_bucket", () => {
  it.each([
    [99, "decode_only", "below_range"],
    [100, "disaggregated", "in_range"],
    [200, "disaggregated", "in_range"],
    [201, "decode_only", "above_range"],
  ])("with range 100 to 200, a prompt of %i tokens goes the %s way (%s)", (promptTokens, path, branch) => {
    const decider = { kind: "length_bucket", disaggregate_min_tokens: 100, disaggregate_max_tokens: 200 };
    expect(routerOf({ decider }).route(request(1, { promptTokens }), 0)).toMatchObject({ path, branch });
  });
});

describe("length_bucket without an upper end", () => {
  it("disaggregates prompts of any length from the lower end on", () => {
    const decider = { kind: "length_bucket", disaggregate_min_tokens: 100 };
    const decision = routerOf({ decider }).route(request(1, { promptTokens: 1e9 }), 0);
    expect(decision).toMatchObject({ path: "disaggregated", branch: "in_range" });
    expect(decision.figures).toEqual({ prompt_tokens: 1e9, min: 100 });
  });
});

describe("predicted_ttft", () => {
  const decider = {
    kind: "predicted_ttft",
    prefill_base_ms: 0,
    prefill_ms_per_token: 1,
    prefill_ms_per_token_pair: 0,
    transfer_base_ms: 10,
    transfer_ms_per_token: 0,
    local_ms_per_open_request: 10,
  };

  it.each([
    [0, "decode_only", { local_ms: 100, remote_ms: 110 }],
    [1, "disaggregated", { local_ms: 110, remote_ms: 110 }],
  ])("with %i requests open on the decode worker, goes the %s way", (open, path, figures) => {
    const router = routerOf({ decider, policy: "in_flight" }, { prefill: 1, decode: 1 });
    for (let id = 0; id < open; id++) {
      router.route({ ...request(id, { promptTokens: 50 }), decodeOnly: "x" }, 0);
      router.onFirstToken(id, 0);
    }
    expect(router.route(request(9, { promptTokens: 100 }), 0)).toMatchObject({ path, figures });
  });

  it("counts what waits to be prefilled on either side", () => {
    const router = routerOf({ decider, policy: "in_flight" }, { prefill: 1, decode: 1 });
    router.route({ ...request(1, { promptTokens: 1000 }), decodeOnly: "x" }, 0);
    expect(router.route(request(2, { promptTokens: 500 }), 0)).toMatchObject({
      path: "disaggregated",
      figures: { local_ms: 1510, remote_ms: 510 },
    });
    expect(router.route(request(3, { promptTokens: 2000 }), 0).figures).toMatchObject({ remote_ms: 2510 });
  });

  it("transfers what the decode worker lacks, and computes what each worker lacks", () => {
    const moved = { ...decider, transfer_ms_per_token: 0.5 };
    // 10 blocks of 100 tokens, 4 of them held by the decode worker: 600 to compute, or 1,000 and 600 to move.
    expect(decide(moved, 10, 4).figures).toEqual({ local_ms: 600, remote_ms: 1000 + 10 + 300 });
  });

  it("prefers either side by min_ttft_advantage_ms (inclusive)", () => {
    const path = (min_ttft_advantage_ms: number) => decide({ ...decider, min_ttft_advantage_ms }, 10, 0).path;
    // Remote is 10 ms later.
    expect([path(-10), path(-9.5)]).toEqual(["disaggregated", "decode_only"]);
  });

  it("stays local without a prefill worker, even where such requests are rejected", () => {
    const router = routerOf({ decider, without_prefill_worker: "reject" });
    for (const worker of [0, 1]) router.setHealthy(worker, false, 0);
    expect(router.route(request(1), 0)).toMatchObject({
      path: "decode_only",
      branch: "no_prefill_worker",
      figures: {},
    });
  });
});

describe("early_rejection", () => {
  const decider = {
    kind: "early_rejection",
    prefill_base_ms: 0,
    prefill_ms_per_token: 1,
    prefill_ms_per_token_pair: 0,
    decode_step_base_ms: 10,
    decode_ms_per_open_request: 5,
  };

  it("rejects what is expected to miss its TTFT, and opens nothing for it", () => {
    const router = routerOf({ decider: { ...decider, ttft_slo_ms: 1000 } }, { prefill: 1, decode: 1 });
    expect(router.route(request(1, { promptTokens: 600 }), 0)).toMatchObject({ path: "disaggregated" });
    expect(router.route(request(2, { promptTokens: 400 }), 0)).toMatchObject({
      path: "disaggregated",
      figures: { expected_ttft_ms: 1000 },
    });
    expect(router.route(request(3, { promptTokens: 1 }), 0)).toMatchObject({
      path: "rejected",
      branch: "ttft_slo",
      figures: { expected_ttft_ms: 1001 },
    });
    complete(router, 1);
    complete(router, 2);
    expect(router.isIdle()).toBe(true);
  });

  it("rejects what would slow decoding down too far", () => {
    const router = routerOf({ decider: { ...decider, tbt_slo_ms: 20 } }, { prefill: 1, decode: 1 });
    expect(router.route(request(1), 0).path).toBe("disaggregated");
    expect(router.route(request(2), 0).path).toBe("disaggregated");
    expect(router.route(request(3), 0)).toMatchObject({ path: "rejected", branch: "tbt_slo" });
  });

  it("expects no wait for a prefill where there is no prefill worker", () => {
    const router = routerOf({ decider: { ...decider, ttft_slo_ms: 0 } });
    for (const worker of [0, 1]) router.setHealthy(worker, false, 0);
    expect(router.route(request(1, { promptTokens: 5 }), 0)).toMatchObject({
      path: "decode_only",
      branch: "no_prefill_worker",
      figures: { expected_ttft_ms: 0 },
    });
  });

  it("goes by the prefill policy's own estimate where it gives one", () => {
    const settings = {
      decider: { ...decider, ttft_slo_ms: 100 },
      prefill_policy: "mooncake_conductor",
      prefill: { prefill_base_ms: 500 },
    };
    const decision = routerOf(settings, { prefill: 1, decode: 1 }).route(request(1, { promptTokens: 1 }), 0);
    expect(decision).toMatchObject({ path: "rejected", branch: "ttft_slo" });
    expect(decision.figures["expected_ttft_ms"]).toBeGreaterThan(500);
  });
});
