import type { EngineProfile } from "../profile.js";

/** Coefficients published with DistServe (OSDI'24, Apache-2.0) for its own engine on A100-80GB, two decode lines by batch size; it states no fit error. Mixed steps were not measured: decode context is charged 1.68 times as in a pure decode step, the median of vLLM 0.19's kernels on RTX 4090 and RTX PRO 6000. Made by scripts/fit-profiles.ts. */
export const opt13bA100Tp1Fp16: EngineProfile = {
  name: "opt-13b-a100-tp1-fp16",
  model: {
    name: "OPT-13B",
    layers: 40,
    hidden: 5120,
    kv_heads: 40,
    head_dim: 128,
    parameters: 12853000000,
    vocabulary: 50272,
    intermediate: 20480,
    kv_latent_elements: 0,
    kv_dtype_bytes: 2,
    weight_bytes: 2,
  },
  hardware: { name: "A100-80GB", memory_bytes: 85094039552 },
  tp: 1,
  source:
    "Coefficients published with DistServe (OSDI'24, Apache-2.0) for its own engine on A100-80GB, two decode lines by batch size; it states no fit error. Mixed steps were not measured: decode context is charged 1.68 times as in a pure decode step, the median of vLLM 0.19's kernels on RTX 4090 and RTX PRO 6000.",
  validation:
    "not validated here; DistServe reports SLO attainment within 2 points of its engine with these coefficients",
  fit_error: {
    decode_mean_pct: null,
    decode_max_pct: null,
    prefill_mean_pct: null,
    prefill_max_pct: null,
    mixed_mean_pct: null,
    mixed_max_pct: null,
  },
  step_time: {
    decode: [
      { from_sequences: 1, base_ms: 19.93, per_sequence_ms: 0.03851, per_context_token_ms: 0.0006269 },
      { from_sequences: 95, base_ms: 7.166, per_sequence_ms: 0.1583, per_context_token_ms: 0.0005798 },
    ],
    prefill: { floor_ms: 0, base_ms: 18.1, per_token_ms: 0.1019, per_request_ms: 0, per_pair_ms: 0.00001424 },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.001053 },
  },
  context_skew: { decode: 0, mixed: 0 },
  all_reduce: null,
  overheads: { http_ms: 0, schedule_ms: 0, first_token_ms: 0, step_host_ms: 0 },
  gpu_memory_utilization: 0.9,
  kv_capacity_tokens: null,
};
