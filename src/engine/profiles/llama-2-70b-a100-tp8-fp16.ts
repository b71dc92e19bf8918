import type { EngineProfile } from "../profile.js";

/** Splitwise performance database (splitwise-sim, MIT): medians on DGX machines, vLLM of 2023; single prompts of 128 to 8192 tokens, batches of up to 64. Mixed steps were not measured: decode context is charged 1.68 times as in a pure decode step, the median of vLLM 0.19's kernels on RTX 4090 and RTX PRO 6000. Made by scripts/fit-profiles.ts. */
export const llama270bA100Tp8Fp16: EngineProfile = {
  name: "llama-2-70b-a100-tp8-fp16",
  model: {
    name: "Llama-2-70B",
    layers: 80,
    hidden: 8192,
    kv_heads: 8,
    head_dim: 128,
    parameters: 68977000000,
    vocabulary: 32000,
    intermediate: 28672,
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
    decode_mean_pct: 1.7,
    decode_max_pct: 7.7,
    prefill_mean_pct: 1.7,
    prefill_max_pct: 5.6,
    mixed_mean_pct: null,
    mixed_max_pct: null,
  },
  step_time: {
    decode: [{ from_sequences: 1, base_ms: 44.08, per_sequence_ms: 0.2183, per_context_token_ms: 0.0003279 }],
    prefill: {
      floor_ms: 65.18,
      base_ms: 40.29,
      per_token_ms: 0.1006,
      per_request_ms: 0,
      per_pair_ms: 0.00002048,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.0005509 },
  },
  context_skew: { decode: 0, mixed: 0 },
  all_reduce: null,
  overheads: { http_ms: 0, schedule_ms: 0, first_token_ms: 0, step_host_ms: 0 },
  gpu_memory_utilization: 0.9,
  kv_capacity_tokens: null,
};
