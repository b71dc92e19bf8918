import type { EngineProfile } from "../profile.js";

/** vLLM 0.19 kernels, layer by layer on one card (LLMServingSim's profiles, MIT), summed to steps over (prefill chunk, cached context, decodes, decode context). Made by scripts/fit-profiles.ts. */
export const llama318bRtxpro6000Tp1Bf16: EngineProfile = {
  name: "llama-3.1-8b-rtxpro6000-tp1-bf16",
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
  tp: 1,
  source:
    "vLLM 0.19 kernels, layer by layer on one card (LLMServingSim's profiles, MIT), summed to steps over (prefill chunk, cached context, decodes, decode context).",
  validation:
    "validated against a run of vLLM 0.19.0 with 300 ShareGPT requests that the step times do not come from (context_skew was settled with it in view): mean TTFT -3.4 %, TPOT -0.9 %, E2E -1.6 %",
  fit_error: {
    decode_mean_pct: 1,
    decode_max_pct: 2.7,
    prefill_mean_pct: 1.6,
    prefill_max_pct: 4.6,
    mixed_mean_pct: 4.8,
    mixed_max_pct: 44.6,
  },
  step_time: {
    decode: {
      sequences: [1, 8, 32, 64, 128, 256],
      context_tokens: [512, 2048, 8192],
      ms: [
        11.284, 11.481, 12.095, 11.503, 12.629, 16.977, 13.321, 18.091, 35.073, 15.814, 24.463, 58.393,
        19.713, 36.707, 103.741, 27.606, 61.381, 195.548,
      ],
    },
    prefill: {
      chunk_tokens: [256, 512, 1024, 2048],
      cached_tokens: [0, 2048, 8192],
      ms: [14.989, 16.359, 20.641, 23.745, 26.418, 34.431, 42.431, 46.497, 58.347, 82.945, 90.899, 114.294],
    },
    mixed: {
      chunk_tokens: [256, 512, 1024, 2048],
      cached_tokens: [0, 2048, 8192],
      sequences: [1, 8, 32, 64, 128],
      context_tokens: [512, 2048, 8192],
      ms: [
        15.355, 16.386, 20.708, 16.984, 19.059, 27.778, 20.38, 26.871, 55.218, 23.579, 35.678, 110.794,
        31.266, 67.714, 292.951, 16.532, 16.546, 20.735, 18.604, 20.472, 27.625, 22.156, 28.109, 55.677,
        25.426, 36.859, 112.816, 33.066, 67.498, 355.848, 20.759, 20.78, 20.832, 22.679, 24.656, 32.807,
        27.263, 33.634, 60.253, 31.264, 42.727, 115.546, 39.183, 69.153, 301.858, 24.008, 24.994, 28.999,
        25.531, 27.522, 35.903, 28.843, 35.031, 63.309, 32.173, 44.396, 118.936, 39.861, 76.146, 301.787,
        26.541, 26.615, 30.403, 28.042, 29.176, 37.266, 31.493, 36.6, 64.025, 34.808, 46.393, 128.989, 42.734,
        75.556, 369.5, 34.504, 34.509, 34.941, 35.888, 36.954, 41.561, 39.129, 45, 67.381, 42.776, 54.636,
        128.891, 50.688, 83.256, 325.711, 42.795, 43.59, 47.53, 45.563, 47.506, 55.596, 50.514, 56.645,
        84.528, 54.247, 66.495, 140.064, 63.022, 97.56, 325.649, 46.903, 46.923, 51.319, 49.865, 51.368,
        59.44, 54.975, 60.306, 88.148, 58.844, 69.952, 166.266, 67.31, 96.027, 397.529, 58.639, 58.678,
        58.755, 61.57, 63.647, 71.397, 67.388, 73.547, 98.356, 71.771, 83.699, 152.647, 80.09, 110.471,
        392.006, 83.033, 83.262, 87.466, 84.061, 85.531, 93.721, 87.516, 93.183, 119.747, 92.207, 103.821,
        188.484, 101.893, 131.671, 402.2, 90.998, 91.066, 94.323, 91.873, 93.333, 101.15, 95.398, 100.871,
        126.124, 100.135, 111.279, 244.749, 109.719, 138.353, 440.664, 114.493, 114.478, 114.644, 115.336,
        116.478, 121.152, 118.57, 124.289, 146.321, 123.322, 135.109, 201.648, 133.069, 159.99, 437.042,
      ],
    },
  },
  context_skew: { decode: 0.03, mixed: 0.07 },
  all_reduce: null,
  overheads: { http_ms: 0, schedule_ms: 0, first_token_ms: 0, step_host_ms: 0 },
  gpu_memory_utilization: 0.9,
  kv_capacity_tokens: null,
};
