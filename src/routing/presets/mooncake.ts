import type { Preset } from "./preset.js";

/** Mooncake's conductor. */
export const mooncake: Preset = {
  name: "mooncake",
  summary: "Mooncake conductor: lowest estimated TTFT with prefixes fetched, decode by open tokens.",
  source: "Mooncake (FAST '25), algorithm 1",
  models: [
    "the prefill worker of lowest estimated TTFT; a much longer prefix held elsewhere is taken to be fetched",
    "the decode worker with the fewest open prompt tokens",
    "early rejection once ttft_slo_ms or tbt_slo_ms is set",
  ],
  doesNotModel: [
    "the fetch itself: a prefill worker recomputes what it does not hold",
    "prediction of the decode load at the end of the prefill",
    "layer-wise transfer and chunked pipeline parallelism",
  ],
  settings: {
    decider: "early_rejection",
    prefill_policy: "mooncake_conductor",
    decode_policy: "in_flight",
    order: "prefill_first",
    without_prefill_worker: "reject",
    decode: { load_unit: "prompt_tokens" },
  },
  parameters: { mooncake_conductor: { kvcache_balancing_threshold: 2 } },
  statsIntervalMs: null,
};
