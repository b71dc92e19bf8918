import type { Preset } from "./preset.js";

/** Ray Serve LLM with prefill/decode disaggregation. */
export const rayServe: Preset = {
  name: "ray-serve",
  summary: "Ray Serve LLM: power of two choices on both legs, the decode replica chosen late.",
  source: "Ray Serve LLM (August 2026, #63679), defaults",
  models: [
    "every request is disaggregated; the prefill replica is chosen first, the decode replica when the prefill has ended (PDRequestCoordinator)",
    "power of two choices by requests in flight; ray_prefix_affinity and consistent_hash with Ray's parameters on request",
  ],
  doesNotModel: [
    "queue-length probes with their delay: the router's own ledger is used",
    "round robin of direct streaming (policy round_robin)",
    "Serve's own queueing and max_ongoing_requests",
  ],
  settings: {
    decider: "always",
    policy: "power_of_two",
    order: "late_decode",
    without_prefill_worker: "reject",
  },
  parameters: {
    ray_prefix_affinity: { imbalanced_threshold: null, match_rate_threshold: 0.1 },
    consistent_hash: { virtual_nodes: 100, keyless: "random", when_owner_is_down: "next" },
  },
  statsIntervalMs: null,
};
