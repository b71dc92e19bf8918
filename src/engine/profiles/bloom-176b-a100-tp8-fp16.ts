import type { EngineProfile } from "../profile.js";

/** Splitwise performance database (splitwise-sim, MIT): medians on DGX machines, vLLM of 2023; single prompts of 128 to 8192 tokens, batches of up to 64. Mixed steps were not measured: decode context is charged 1.68 times as in a pure decode step, the median of vLLM 0.19's kernels on RTX 4090 and RTX PRO 6000. Made by scripts/fit-profiles.ts. */
export const bloom176bA100Tp8Fp16: EngineProfile = {
  name: "bloom-176b-a100-tp8-fp16",
  model: {
    name: "BLOOM-176B",
    layers: 70,
    hidden: 14336,
    kv_heads: 112,
    head_dim: 128,
    parameters: 176247000000,
    vocabulary: 250880,
    intermediate: 57344,
    kv_latent_elements: 0,
    kv_dtype_bytes: 2,
    weight_bytes: 2,
  },
  hardware: { name: "A100-80GB", memory_bytes: 85094039552 },
  tp: 8,
  source:
    "Splitwise performance database (splitwise-sim, MIT): medians on DGX machines, vLLM of 2023; single prompts of 128 to 8192 tokens, batches of up to 64. Mixed steps were not measured: decode context is charged 1.68 times as in a pure decode step, the median of vLLM 0.19's kernels on RTX 4090 and RTX PRO 6000.",
  validation: "not validated: no measured run of this model on this card was at hand",
  fit_error: {
    decode_mean_pct: 1.6,
    decode_max_pct: 10.5,
    prefill_mean_pct: 2.8,
    prefill_max_pct: 8.7,
    mixed_mean_pct: null,
    mixed_max_pct: null,
  },
  step_time: {
    decode: [{ from_sequences: 1, base_ms: 48.34, per_sequence_ms: 0.3946, per_context_token_ms: 0.0003497 }],
    prefill: {
      floor_ms: 79.22,
      base_ms: 45.83,
      per_token_ms: 0.2064,
      per_request_ms: 0,
      per_pair_ms: 0.00005462,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.0005875 },
  },
  context_skew: { decode: 0, mixed: 0 },
  all_reduce: null,
  overheads: { http_ms: 0, schedule_ms: 0, first_token_ms: 0, step_host_ms: 0 },
  gpu_memory_utilization: 0.9,
  kv_capacity_tokens: null,
};
