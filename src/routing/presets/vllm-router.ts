import type { Preset } from "./preset.js";

/** The command line's defaults, which SMG shares. */
export const CACHE_AWARE_DEFAULTS = {
  form: "compat",
  cache_threshold: 0.3,
  balance_abs_threshold: 64,
  balance_rel_threshold: 1.5,
  max_tree_size: 67_108_864,
  eviction_interval_s: 120,
};

// It adds its own counters to polls of /get_load, which vLLM does not serve (issue #174).
const POWER_OF_TWO = { load_signal: "in_flight" };

const PD_PARAMETERS = {
  cache_aware: CACHE_AWARE_DEFAULTS,
  // The whole request is the routing text, so that requests without a session key have keys of their own.
  consistent_hash: { virtual_nodes: 160, keyless: "prompt", when_owner_is_down: "first_healthy" },
  rendezvous_hash: { keyless: "prompt" },
  power_of_two: POWER_OF_TWO,
};

const REGULAR_PARAMETERS = {
  // Policies are given the available workers only.
  cache_aware: { ...CACHE_AWARE_DEFAULTS, balance_gate: "healthy" },
  // Chat without a session id has no routing text, and the ring is made anew when a worker goes down.
  consistent_hash: { virtual_nodes: 160, keyless: "constant", when_owner_is_down: "next" },
  rendezvous_hash: { keyless: "constant" },
  power_of_two: POWER_OF_TWO,
};

/** vllm-router in vLLM PD mode, with the command line's defaults. */
export const vllmRouter: Preset = {
  name: "vllm-router",
  summary: "vllm-router in PD mode as shipped: cache_aware on both legs, decode load released at headers.",
  source: "vllm-router 0.1.14 (main, August 2026), command-line defaults",
  models: [
    "every request is disaggregated; each leg has a policy of its own",
    "cache_aware 0.3 / 64 / 1.5 with the fleet-wide balance gate, the first owner of a prefix and first-index ties",
    "decode load counts from dispatch to the response headers, so streaming decodes read as no load (#200)",
    "load leaks when a client goes away (#215) and is reset every 10 health checks of 60 s (#197)",
    "consistent_hash with the furc/murmur hash: requests without a session key go by their content, and all keys of a worker that is down to the first healthy one",
    "power_of_two by these counters alone, since vLLM does not serve /get_load (#174)",
  ],
  doesNotModel: [
    "the whole JSON request as routing text: prompts are matched by content alone, so that sampling parameters, which come before a chat's messages there, do not part equal prompts",
    "the tree's size in characters: max_tree_size counts tokens in a simulation",
    "breakers and active health checks",
  ],
  settings: {
    decider: "always",
    policy: "cache_aware",
    without_prefill_worker: "reject",
    load_accounting: {
      decode_opens: "dispatch",
      decode_release: "headers",
      leak_on_disconnect: true,
      health_check_resets_load_s: 600,
    },
  },
  parameters: PD_PARAMETERS,
  statsIntervalMs: null,
};

/** vllm-router in regular mode: every worker prefills and decodes. */
export const vllmRouterRegular: Preset = {
  name: "vllm-router-regular",
  summary: "vllm-router without disaggregation as shipped: load is counted for cache_aware only.",
  source: "vllm-router 0.1.14 (main, August 2026), command-line defaults",
  models: [
    "no request is disaggregated",
    "cache_aware 0.3 / 64 / 1.5 with the fleet-wide balance gate, the first owner of a prefix and first-index ties",
    "consistent_hash and rendezvous_hash send all chat requests without a session key to one worker; power_of_two has no load to go by (#174)",
    "load counters move for cache_aware only, leak on disconnect (#215), fall twice on a retryable status and are reset every 600 s (#197)",
  ],
  doesNotModel: [
    "chat requests without prefix (#213): prompts are matched by content on every route",
    "the tree's size in characters: max_tree_size counts tokens in a simulation",
    "retries, breakers and active health checks",
  ],
  settings: {
    decider: "never",
    policy: "cache_aware",
    load_accounting: {
      counted_only_for_cache_aware: true,
      leak_on_disconnect: true,
      double_decrement_on_retryable_status: true,
      health_check_resets_load_s: 600,
    },
  },
  parameters: REGULAR_PARAMETERS,
  statsIntervalMs: null,
};
