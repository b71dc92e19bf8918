import type { EngineProfile } from "../profile.js";

/** ai-dynamo/aiconfigurator 0.11.0 kernel tables for vLLM 0.24.0 (Apache-2.0, NVIDIA), composed to whole steps, all-reduce included. Mixed steps were not measured: decode context is charged 1.68 times as in a pure decode step, the median of vLLM 0.19's kernels on RTX 4090 and RTX PRO 6000. Made by scripts/fit-profiles.ts. */
export const llama318bH200Tp2Fp8: EngineProfile = {
  name: "llama-3.1-8b-h200-tp2-fp8",
  model: {
    name: "Llama-3.1-8B",
    layers: 32,
    hidden: 4096,
    kv_heads: 8,
    head_dim: 128,
    parameters: 8030000000,
    vocabulary: 128256,
    intermediate: 14336,
    kv_latent_elements: 0,
    kv_dtype_bytes: 2,
    weight_bytes: 1,
  },
  hardware: { name: "H200", memory_bytes: 150119844413 },
  tp: 2,
  source:
    "ai-dynamo/aiconfigurator 0.11.0 kernel tables for vLLM 0.24.0 (Apache-2.0, NVIDIA), composed to whole steps, all-reduce included. Mixed steps were not measured: decode context is charged 1.68 times as in a pure decode step, the median of vLLM 0.19's kernels on RTX 4090 and RTX PRO 6000.",
  validation: "not validated: no measured run of this model on this card was at hand",
  fit_error: {
    decode_mean_pct: 1.9,
    decode_max_pct: 7.4,
    prefill_mean_pct: 2.1,
    prefill_max_pct: 12.8,
    mixed_mean_pct: null,
    mixed_max_pct: null,
  },
  step_time: {
    decode: [
      { from_sequences: 1, base_ms: 2.915, per_sequence_ms: 0.0088, per_context_token_ms: 0.00001459 },
    ],
    prefill: {
      floor_ms: 4.171,
      base_ms: 2.285,
      per_token_ms: 0.00932,
      per_request_ms: 0,
      per_pair_ms: 3.667e-7,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.00002451 },
  },
  context_skew: { decode: 0, mixed: 0 },
  all_reduce: null,
  overheads: { http_ms: 0, schedule_ms: 0, first_token_ms: 0, step_host_ms: 0 },
  gpu_memory_utilization: 0.9,
  kv_capacity_tokens: null,
};
