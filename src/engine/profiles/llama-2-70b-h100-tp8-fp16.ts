import type { EngineProfile } from "../profile.js";

/** Splitwise performance database (splitwise-sim, MIT): medians on DGX machines, vLLM of 2023; single prompts of 128 to 8192 tokens, batches of up to 64. Attention to cached context is not charged. Mixed steps were not measured: decode context is charged 1.68 times as in a pure decode step, the median of vLLM 0.19's kernels on RTX 4090 and RTX PRO 6000. Made by scripts/fit-profiles.ts. */
export const llama270bH100Tp8Fp16: EngineProfile = {
  name: "llama-2-70b-h100-tp8-fp16",
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
  hardware: { name: "H100", memory_bytes: 84943715697 },
  tp: 8,
  source:
    "Splitwise performance database (splitwise-sim, MIT): medians on DGX machines, vLLM of 2023; single prompts of 128 to 8192 tokens, batches of up to 64. Attention to cached context is not charged. Mixed steps were not measured: decode context is charged 1.68 times as in a pure decode step, the median of vLLM 0.19's kernels on RTX 4090 and RTX PRO 6000.",
  validation: "not validated: no measured run of this model on this card was at hand",
  fit_error: {
    decode_mean_pct: 1.9,
    decode_max_pct: 6.8,
    prefill_mean_pct: null,
    prefill_max_pct: null,
    mixed_mean_pct: null,
    mixed_max_pct: null,
  },
  step_time: {
    decode: [{ from_sequences: 1, base_ms: 29.94, per_sequence_ms: 0.2075, per_context_token_ms: 0.0001616 }],
    prefill: {
      chunk_tokens: [128, 256, 512, 1024, 2048, 4096, 8192],
      cached_tokens: [0],
      ms: [58.185, 51.659, 53.386, 77.913, 136.797, 390.291, 844.885],
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.0002715 },
  },
  context_skew: { decode: 0, mixed: 0 },
  all_reduce: null,
  overheads: { http_ms: 0, schedule_ms: 0, first_token_ms: 0, step_host_ms: 0 },
  gpu_memory_utilization: 0.9,
  kv_capacity_tokens: null,
};
