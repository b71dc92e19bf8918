import type { EngineProfile } from "../profile.js";

/** ai-dynamo/aiconfigurator 0.11.0 kernel tables for vLLM 0.24.0 (Apache-2.0, NVIDIA), composed to whole steps, all-reduce included. Mixed steps were not measured: decode context is charged 1.68 times as in a pure decode step, the median of vLLM 0.19's kernels on RTX 4090 and RTX PRO 6000. Made by scripts/fit-profiles.ts. */
export const deepseekV3H200Tp8Fp8: EngineProfile = {
  name: "deepseek-v3-h200-tp8-fp8",
  model: {
    name: "DeepSeek-V3",
    layers: 61,
    hidden: 7168,
    kv_heads: 128,
    head_dim: 128,
    parameters: 671026000000,
    vocabulary: 129280,
    intermediate: 18432,
    kv_latent_elements: 576,
    kv_dtype_bytes: 2,
    weight_bytes: 1,
  },
  hardware: { name: "H200", memory_bytes: 150119844413 },
  tp: 8,
  source:
    "ai-dynamo/aiconfigurator 0.11.0 kernel tables for vLLM 0.24.0 (Apache-2.0, NVIDIA), composed to whole steps, all-reduce included. Mixed steps were not measured: decode context is charged 1.68 times as in a pure decode step, the median of vLLM 0.19's kernels on RTX 4090 and RTX PRO 6000.",
  validation: "not validated: no measured run of this model on this card was at hand",
  fit_error: {
    decode_mean_pct: 3,
    decode_max_pct: 9.4,
    prefill_mean_pct: 1.4,
    prefill_max_pct: 4.5,
    mixed_mean_pct: null,
    mixed_max_pct: null,
  },
  step_time: {
    decode: {
      sequences: [1, 8, 16, 32, 64, 128, 256],
      context_tokens: [1024, 4096, 16384],
      ms: [
        14.07, 14.241, 14.765, 18.842, 19.366, 20.977, 22.926, 23.713, 26.909, 25.857, 27.431, 33.836, 32.944,
        36.238, 48.817, 37.841, 44.349, 68.987, 46.153, 58.335, 106.781,
      ],
    },
    prefill: {
      floor_ms: 46.35,
      base_ms: 37.59,
      per_token_ms: 0.04915,
      per_request_ms: 0,
      per_pair_ms: 7.229e-7,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.00002878 },
  },
  context_skew: { decode: 0, mixed: 0 },
  all_reduce: null,
  overheads: { http_ms: 0, schedule_ms: 0, first_token_ms: 0, step_host_ms: 0 },
  gpu_memory_utilization: 0.9,
  kv_capacity_tokens: null,
};
