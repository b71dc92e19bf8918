import type { EngineProfile } from "../profile.js";

/** ai-dynamo/aiconfigurator 0.11.0 kernel tables for vLLM 0.24.0 (Apache-2.0, NVIDIA), composed to whole steps, all-reduce included. Mixed steps were not measured: decode context is charged 1.68 times as in a pure decode step, the median of vLLM 0.19's kernels on RTX 4090 and RTX PRO 6000. Made by scripts/fit-profiles.ts. */
export const qwen332bH100Tp4Fp8: EngineProfile = {
  name: "qwen3-32b-h100-tp4-fp8",
  model: {
    name: "Qwen3-32B",
    layers: 64,
    hidden: 5120,
    kv_heads: 8,
    head_dim: 128,
    parameters: 32762000000,
    vocabulary: 151936,
    intermediate: 25600,
    kv_latent_elements: 0,
    kv_dtype_bytes: 2,
    weight_bytes: 1,
  },
  hardware: { name: "H100", memory_bytes: 84943715697 },
  tp: 4,
  source:
    "ai-dynamo/aiconfigurator 0.11.0 kernel tables for vLLM 0.24.0 (Apache-2.0, NVIDIA), composed to whole steps, all-reduce included. Mixed steps were not measured: decode context is charged 1.68 times as in a pure decode step, the median of vLLM 0.19's kernels on RTX 4090 and RTX PRO 6000.",
  validation: "not validated: no measured run of this model on this card was at hand",
  fit_error: {
    decode_mean_pct: 7.8,
    decode_max_pct: 22.6,
    prefill_mean_pct: 1.7,
    prefill_max_pct: 10.7,
    mixed_mean_pct: null,
    mixed_max_pct: null,
  },
  step_time: {
    decode: [
      { from_sequences: 1, base_ms: 17.76, per_sequence_ms: 0.04641, per_context_token_ms: 0.00002883 },
    ],
    prefill: {
      floor_ms: 30.1,
      base_ms: 17.75,
      per_token_ms: 0.02192,
      per_request_ms: 0,
      per_pair_ms: 7.453e-7,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.00004843 },
  },
  context_skew: { decode: 0, mixed: 0 },
  all_reduce: null,
  overheads: { http_ms: 0, schedule_ms: 0, first_token_ms: 0, step_host_ms: 0 },
  gpu_memory_utilization: 0.9,
  kv_capacity_tokens: null,
};
