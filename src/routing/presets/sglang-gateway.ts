import type { Preset } from "./preset.js";
import { CACHE_AWARE_DEFAULTS } from "./vllm-router.js";

/** SGLang's model gateway (SMG) in PD mode. */
export const sglangGateway: Preset = {
  name: "sglang-gateway",
  summary: "SGLang model gateway (SMG) in PD mode: cache_aware on both legs, exact load guards.",
  source: "SMG (Shepherd Model Gateway), August 2026, command-line defaults",
  models: [
    "every request is disaggregated; each leg has a policy of its own",
    "cache_aware 0.3 / 64 / 1.5 with the fleet-wide balance gate and the first owner of a prefix; ties go to the worker that was given fewest requests so far",
    "prefixes of a worker that is down keep naming it, and go to the first healthy worker meanwhile",
    "load is held by a guard until the stream ends or is dropped",
  ],
  doesNotModel: [
    "both legs sent at once (SGLang bootstrap): the decode leg waits for the prefill here",
    "the gates on KV use (balance_token_usage, overload_token_usage), off by default",
    "retries, breakers, priority scheduler and rate limits",
  ],
  settings: { decider: "always", policy: "cache_aware", without_prefill_worker: "reject" },
  parameters: {
    cache_aware: {
      ...CACHE_AWARE_DEFAULTS,
      balance_gate: "healthy",
      ties: "fewest_routed",
      stale_owner: "keep",
    },
    prefix_hash: { prefix_token_count: 256, prefix_hash_load_factor: 1.25, ring_points: 150, ties: "first" },
  },
  statsIntervalMs: null,
};
