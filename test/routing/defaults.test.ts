import { describe, expect, it } from "vitest";
import { DECIDERS, POLICIES } from "../../src/routing/registry.js";
import { resolveRouterConfig } from "../../src/routing/router-config.js";

/** Defaults that are a product's own, or that a paper or table gives; see the docstring of each. */
const OF_PRODUCTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  // vllm-router 0.1.14, command line
  cache_aware: {
    cache_threshold: 0.3,
    balance_abs_threshold: 64,
    balance_rel_threshold: 1.5,
    max_tree_size: 67_108_864,
    match_granularity: 1,
    eviction_interval_s: 120,
  },
  consistent_hash: { virtual_nodes: 160 },
  sticky_least_loaded: { session_ttl_s: 7200, migrate_abs_threshold: null, migrate_rel_threshold: 2 },
  precise_prefix: { speculative_s: 2, load_weight: 0 },
  // production-stack
  qps: { request_stats_window_s: 60 },
  prefix_aware: { prefix_min_match_length: 0 },
  threshold: { routing_threshold: 0 },
  least_loaded: { without_stats: "round_robin" },
  // SMG
  prefix_hash: { prefix_token_count: 256, prefix_hash_load_factor: 1.25, ring_points: 150 },
  bucket: { initial_max_units: 4096, window_s: 5, bucket_balance_abs_units: 64, bucket_balance_rel: 1.5 },
  // llm-d
  weighted_scorers: {
    queue_weight: 2,
    kv_weight: 2,
    prefix_weight: 3,
    running_weight: 0,
    load_aware_weight: 0,
    active_weight: 0,
    token_weight: 0,
    session_weight: 0,
    no_hit_lru_weight: 0,
    picker: "max_score",
    kv_index: "routing",
    max_prefix_units: null,
    speculative_s: 2,
  },
  // NVIDIA Dynamo
  dynamo_kv: {
    overlap_score_credit: 1,
    overlap_credit_decay: 0,
    prefill_load_scale: 1,
    decode_active_request_weight: 0,
    router_temperature: 0,
    selection: "cost",
    index_ttl_s: 120,
    speculative_s: 0,
    kv_index: "routing",
  },
  dynamo_two_tier: {
    cache_threshold: 0.5,
    balance_abs_threshold: 32,
    balance_rel_threshold: 1.1,
    index_ttl_s: 120,
  },
  effective_length: { eff_isl_threshold: 2048, eff_isl_ratio_threshold: 0.7, decode_busy_threshold: null },
  length_or_load: { eff_isl_threshold: 2048, eff_isl_ratio_threshold: 0.7, decode_busy_threshold: null },
  // AIBrix
  aibrix_prefix_cache: {
    imbalance_abs_threshold: 8,
    index_capacity: 200_000,
    index_ttl_s: 1200,
    stddev_factor: 1,
  },
  aibrix_pd: {
    prefill_score: "prefix_cache",
    decode_score: "load_balancing",
    miss_weight: 0.1,
    prefill_imbalance_threshold: 16,
    decode_imbalance_threshold: 16,
    stddev_factor: 1,
  },
  // Ray Serve
  ray_prefix_affinity: { imbalanced_threshold: null, match_rate_threshold: 0.1 },
};

const paramsOf = (name: string): Readonly<Record<string, unknown>> =>
  POLICIES.some((policy) => policy.name === name)
    ? resolveRouterConfig({ policy: name }).config.decodePolicy.params
    : resolveRouterConfig({ decider: name }).config.decider.params;

describe("defaults", () => {
  it.each(Object.entries(OF_PRODUCTS))("%s has those of its product", (name, expected) => {
    expect(paramsOf(name)).toMatchObject(expected);
  });

  it("are within the bounds of each parameter", () => {
    for (const { name } of [...POLICIES, ...DECIDERS]) expect(() => paramsOf(name)).not.toThrow();
  });

  it("of load accounting are exact, and of signals the product's", () => {
    expect(resolveRouterConfig({}).config.loadAccounting).toEqual({
      decode_opens: "choice",
      decode_release: "stream_end",
      prefill_guard_opened_late: false,
      leak_on_disconnect: false,
      double_decrement_on_retryable_status: false,
      health_check_resets_load_s: null,
      counted_only_for_cache_aware: false,
      never_counted: false,
    });
  });
});

describe("what presets have in force", () => {
  const config = (preset: string) => resolveRouterConfig({ preset }).config;

  it.each([
    ["vllm-router", "always", "cache_aware", "cache_aware", "independent", "reject", null],
    ["vllm-router-regular", "never", "cache_aware", "cache_aware", "independent", "decode_only", null],
    ["sglang-gateway", "always", "cache_aware", "cache_aware", "independent", "reject", null],
    ["production-stack", "always", "round_robin", "round_robin", "independent", "reject", 30_000],
    [
      "production-stack-conditional",
      "threshold",
      "round_robin",
      "round_robin",
      "decode_first",
      "reject",
      30_000,
    ],
    ["llm-d", "uncached_tokens", "weighted_scorers", "weighted_scorers", "decode_first", "decode_only", 50],
    ["dynamo", "always", "dynamo_kv", "dynamo_kv", "decode_first", "decode_only", null],
    ["aibrix", "always", "aibrix_pd", "aibrix_pd", "joint", "reject", 50],
    ["ray-serve", "always", "power_of_two", "power_of_two", "late_decode", "reject", null],
    ["mooncake", "early_rejection", "mooncake_conductor", "in_flight", "prefill_first", "reject", null],
  ])(
    "%s: decider %s, policies %s and %s, order %s, without a prefill worker %s, polls every %s ms",
    (preset, decider, prefill, decode, order, without, statsIntervalMs) => {
      expect(config(preset)).toMatchObject({
        decider: { name: decider },
        prefillPolicy: { name: prefill },
        decodePolicy: { name: decode },
        order,
        withoutPrefillWorker: without,
        indexUpdate: "routing",
      });
      expect(resolveRouterConfig({ preset }).statsIntervalMs).toBe(statsIntervalMs);
    },
  );

  it("vllm-router counts load wrongly in the ways that are known", () => {
    expect(config("vllm-router").loadAccounting).toMatchObject({
      decode_opens: "dispatch",
      decode_release: "headers",
      leak_on_disconnect: true,
      health_check_resets_load_s: 600,
      double_decrement_on_retryable_status: false,
      counted_only_for_cache_aware: false,
    });
    expect(config("vllm-router-regular").loadAccounting).toMatchObject({
      decode_opens: "choice",
      decode_release: "stream_end",
      leak_on_disconnect: true,
      health_check_resets_load_s: 600,
      double_decrement_on_retryable_status: true,
      counted_only_for_cache_aware: true,
    });
  });

  it("cache_aware is the shipped form in vllm-router and SMG, with the gate over all or over healthy workers", () => {
    const shipped = {
      form: "compat",
      cache_threshold: 0.3,
      balance_abs_threshold: 64,
      balance_rel_threshold: 1.5,
      holder: null,
    };
    const params = (preset: string) => config(preset).prefillPolicy.params;
    expect(params("vllm-router")).toMatchObject({ ...shipped, balance_gate: null, ties: null });
    expect(params("vllm-router-regular")).toMatchObject({ ...shipped, balance_gate: "healthy", ties: null });
    expect(params("sglang-gateway")).toMatchObject({
      ...shipped,
      balance_gate: "healthy",
      ties: "fewest_routed",
      stale_owner: "keep",
    });
  });

  it("Dynamo leaves decode blocks out for prefill workers, and prefix and prefill tokens for decode workers", () => {
    expect(config("dynamo").prefillPolicy.params).toMatchObject({
      track_decode_blocks: false,
      track_prefill_tokens: true,
      overlap_score_credit: 1,
    });
    expect(config("dynamo").decodePolicy.params).toMatchObject({
      track_decode_blocks: true,
      track_prefill_tokens: false,
      overlap_score_credit: 0,
    });
  });

  it("llm-d looks 4,096 tokens up and disaggregates nothing at 0", () => {
    expect(config("llm-d").decider.params).toEqual({
      disaggregate_at_uncached_tokens: 0,
      zero_means: "never",
    });
    expect(config("llm-d").decodePolicy.params).toMatchObject({
      queue_weight: 2,
      kv_weight: 2,
      prefix_weight: 3,
      max_prefix_units: 4096,
      index_capacity: 500_000,
    });
  });
});
