import type { EngineProfile } from "../profile.js";

/** vLLM 0.19 kernels, layer by layer on one card (LLMServingSim's profiles, MIT), summed to steps over (prefill chunk, cached context, decodes, decode context). All-reduce as LLMServingSim sets it for PCIe: 16 GB/s, 20 us. Made by scripts/fit-profiles.ts. */
export const llama318bRtxpro6000Tp2Bf16: EngineProfile = {
  name: "llama-3.1-8b-rtxpro6000-tp2-bf16",
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
    weight_bytes: 2,
  },
  hardware: { name: "RTXPRO6000", memory_bytes: 101973261025 },
  tp: 2,
  source:
    "vLLM 0.19 kernels, layer by layer on one card (LLMServingSim's profiles, MIT), summed to steps over (prefill chunk, cached context, decodes, decode context). All-reduce as LLMServingSim sets it for PCIe: 16 GB/s, 20 us.",
  validation: "not validated: no measured run of this model on this card was at hand",
  fit_error: {
    decode_mean_pct: 1.7,
    decode_max_pct: 4.1,
    prefill_mean_pct: 1.9,
    prefill_max_pct: 9.2,
    mixed_mean_pct: 4.3,
    mixed_max_pct: 34.8,
  },
  step_time: {
    decode: {
      sequences: [1, 8, 32, 64, 128, 256],
      context_tokens: [512, 2048, 8192],
      ms: [
        6.208, 6.315, 6.84, 6.393, 6.963, 9.231, 7.468, 9.874, 18.493, 8.233, 13.142, 30.16, 10.776, 19.725,
        53.832, 15.532, 32.498, 99.644,
      ],
    },
    prefill: {
      chunk_tokens: [256, 512, 1024, 2048],
      cached_tokens: [0, 2048, 8192],
      ms: [8.293, 9.625, 13.934, 13.285, 14.652, 18.796, 23.064, 25.725, 33.702, 43.577, 47.751, 59.458],
    },
    mixed: {
      chunk_tokens: [256, 512, 1024, 2048],
      cached_tokens: [0, 2048, 8192],
      sequences: [1, 8, 32, 64, 128],
      context_tokens: [512, 2048, 8192],
      ms: [
        8.611, 9.659, 13.971, 9.499, 10.543, 14.796, 11.331, 14.469, 28.138, 12.682, 19.43, 56.939, 17.191,
        34.967, 147.561, 9.718, 9.72, 13.968, 10.515, 11.898, 15.951, 12.75, 15.755, 28.224, 13.916, 19.629,
        57.444, 18.323, 37.25, 157.628, 13.982, 13.981, 13.981, 14.7, 14.776, 20.411, 16.731, 19.889, 33.647,
        18.229, 24.513, 58.819, 23.186, 38.292, 153.874, 13.456, 14.492, 18.808, 14.677, 15.716, 19.775,
        16.723, 19.868, 33.457, 18.277, 24.827, 62.345, 22.407, 40.215, 152.39, 14.781, 14.807, 18.812,
        16.121, 17.163, 21.142, 18.585, 21.21, 34.64, 20.091, 25.819, 63.511, 24.236, 41.039, 179.644, 18.89,
        18.893, 18.918, 20.172, 21.243, 25.521, 22.783, 26.686, 39.177, 25.208, 31.377, 68.743, 29.898,
        46.873, 160.34, 23.246, 23.979, 27.926, 24.377, 25.588, 29.628, 26.677, 29.984, 43.367, 28.375,
        34.861, 72.076, 32.987, 50.779, 162.295, 25.895, 25.904, 29.423, 26.958, 27.567, 32.359, 29.312,
        31.865, 45.93, 31.112, 36.441, 79.727, 35.565, 50.732, 196.132, 33.798, 33.768, 33.954, 34.74, 34.746,
        39.59, 36.821, 39.532, 52.856, 38.715, 44.89, 78.63, 43.234, 58.871, 180.197, 43.608, 43.757, 47.736,
        44.125, 44.954, 49.949, 45.826, 48.727, 62.618, 48.065, 54.024, 92.119, 52.817, 68.592, 185.35,
        47.811, 47.828, 50.824, 48.29, 49.119, 54.104, 50.074, 52.752, 67.155, 52.387, 57.869, 115.098,
        57.148, 72.235, 222.956, 59.533, 59.479, 59.609, 59.999, 61.019, 64.988, 62.021, 65.72, 77.7, 64.762,
        71.12, 100.195, 69.936, 84.044, 218.315,
      ],
    },
  },
  all_reduce: { per_layer: 2, latency_us: 20, gigabytes_per_second: 16 },
  overheads: { http_ms: 0, schedule_ms: 0, first_token_ms: 0, step_host_ms: 0 },
  gpu_memory_utilization: 0.9,
  kv_capacity_tokens: null,
};
