import type { EngineProfile } from "../profile.js";

/** ai-dynamo/aiconfigurator 0.11.0 kernel tables for vLLM 0.24.0 (Apache-2.0, NVIDIA), composed to whole steps, all-reduce included. Mixed steps were not measured: decode context is charged 1.68 times as in a pure decode step, the median of vLLM 0.19's kernels on RTX 4090 and RTX PRO 6000. Made by scripts/fit-profiles.ts. */
export const llama3170bH200Tp4Bf16: EngineProfile = {
  name: "llama-3.1-70b-h200-tp4-bf16",
  model: {
    name: "Llama-3.1-70B",
    layers: 80,
    hidden: 8192,
    kv_heads: 8,
    head_dim: 128,
    parameters: 70554000000,
    vocabulary: 128256,
    intermediate: 28672,
    kv_latent_elements: 0,
    kv_dtype_bytes: 2,
    weight_bytes: 2,
  },
  hardware: { name: "H200", memory_bytes: 150119844413 },
  tp: 4,
  source:
    "ai-dynamo/aiconfigurator 0.11.0 kernel tables for vLLM 0.24.0 (Apache-2.0, NVIDIA), composed to whole steps, all-reduce included. Mixed steps were not measured: decode context is charged 1.68 times as in a pure decode step, the median of vLLM 0.19's kernels on RTX 4090 and RTX PRO 6000.",
  validation: "not validated: no measured run of this model on this card was at hand",
  fit_error: {
    decode_mean_pct: 1.6,
    decode_max_pct: 8.2,
    prefill_mean_pct: 2.6,
    prefill_max_pct: 6.8,
    mixed_mean_pct: null,
    mixed_max_pct: null,
  },
  step_time: {
    decode: [
      { from_sequences: 1, base_ms: 12.22, per_sequence_ms: 0.0283, per_context_token_ms: 0.00001857 },
    ],
    prefill: {
      floor_ms: 16.36,
      base_ms: 5.811,
      per_token_ms: 0.0595,
      per_request_ms: 0,
      per_pair_ms: 0.000001297,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.0000312 },
  },
  context_skew: { decode: 0, mixed: 0 },
  all_reduce: null,
  overheads: { http_ms: 0, schedule_ms: 0, first_token_ms: 0, step_host_ms: 0 },
  gpu_memory_utilization: 0.9,
  kv_capacity_tokens: null,
};
