import type { Preset } from "./preset.js";

const PARAMETERS = {
  qps: { request_stats_window_s: 60, ties: "first" },
  least_loaded: { without_stats: "round_robin", ties: "first" },
};

/** production-stack's router, main branch. */
export const productionStack: Preset = {
  name: "production-stack",
  summary: "production-stack's orchestrated PD routing: round robin on both legs in lockstep.",
  source: "production-stack main (a6c01db0, August 2026), `disaggregated_prefill_orchestrated`",
  models: [
    "every request is disaggregated; both legs take turns and advance together, so that equal numbers of workers form fixed pairs",
    "statistics are scraped every 30 s; no PD routing looks at them",
  ],
  doesNotModel: [
    "`disaggregated_prefill`, which sends everything to the last backend of each leg",
    "the router's own speed (about 0.5 ms of CPU a request)",
    "failover",
  ],
  settings: { decider: "always", policy: "round_robin", without_prefill_worker: "reject" },
  parameters: PARAMETERS,
  statsIntervalMs: 30_000,
};

/** production-stack with pull request #890. */
export const productionStackConditional: Preset = {
  name: "production-stack-conditional",
  summary: "production-stack #890: a threshold on prompt tokens, round robin or least_loaded.",
  source: "production-stack #890 (6618cfb6, March 2026)",
  models: [
    "prompts of at least routing_threshold tokens are disaggregated; 0, the default, disaggregates all",
    "the decode worker is chosen first, for direct and disaggregated requests alike",
    "least_loaded: running plus queued of statistics scraped every 30 s, first of equals, round robin while any are missing",
  ],
  doesNotModel: [
    "the estimate of a batch by its number of prompts: simulated prompts have exact lengths",
    "least_loaded as wired in the pull request, where it never sees statistics: use round_robin for that",
    "max_tokens 0 where the client gave none, decoder errors as HTTP 200",
  ],
  settings: {
    decider: "threshold",
    policy: "round_robin",
    order: "decode_first",
    without_prefill_worker: "reject",
  },
  parameters: { ...PARAMETERS, threshold: { routing_threshold: 0 } },
  statsIntervalMs: 30_000,
};
