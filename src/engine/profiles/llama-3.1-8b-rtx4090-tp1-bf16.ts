import type { EngineProfile } from "../profile.js";

/** vLLM 0.19 kernels, layer by layer on one card (LLMServingSim's profiles, MIT), summed to steps over (prefill chunk, cached context, decodes, decode context). Made by scripts/fit-profiles.ts. */
export const llama318bRtx4090Tp1Bf16: EngineProfile = {
  name: "llama-3.1-8b-rtx4090-tp1-bf16",
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
  hardware: { name: "RTX4090", memory_bytes: 25250627584 },
  tp: 1,
  source:
    "vLLM 0.19 kernels, layer by layer on one card (LLMServingSim's profiles, MIT), summed to steps over (prefill chunk, cached context, decodes, decode context).",
  validation:
    "validated against a run of vLLM 0.19.0 with 300 ShareGPT requests that the step times do not come from (context_skew was settled with it in view): mean TTFT +0.8 %, TPOT +0.5 %, E2E +0.7 %",
  fit_error: {
    decode_mean_pct: 0.8,
    decode_max_pct: 3.2,
    prefill_mean_pct: 0.8,
    prefill_max_pct: 1.6,
    mixed_mean_pct: 3.8,
    mixed_max_pct: 48.4,
  },
  step_time: {
    decode: {
      sequences: [1, 8, 32, 64, 128, 256],
      context_tokens: [512, 2048, 8192],
      ms: [
        16.777, 16.99, 17.553, 17.918, 19.733, 26.688, 21.542, 28.516, 55.645, 24.772, 38.478, 92.586, 31.398,
        58.821, 167.475, 45.714, 99.917, 315.705,
      ],
    },
    prefill: {
      chunk_tokens: [256, 512, 1024, 2048],
      cached_tokens: [0, 2048, 8192],
      ms: [
        25.534, 27.606, 33.675, 48.306, 52.301, 64.162, 95.473, 104.223, 127.077, 193.005, 208.28, 259.076,
      ],
    },
    mixed: {
      chunk_tokens: [256, 512, 1024, 2048],
      cached_tokens: [0, 2048, 8192],
      sequences: [1, 8, 32, 64, 128],
      context_tokens: [512, 2048, 8192],
      ms: [
        26.765, 28.267, 34.252, 32.513, 36.07, 48.167, 42.248, 54.499, 103.297, 49.003, 74.563, 184.469,
        63.799, 182.64, 614.833, 30.18, 30.439, 36.305, 35.611, 37.354, 55.003, 45.412, 56.296, 109.72,
        52.031, 82.222, 192.609, 65.5, 184.076, 616.193, 36.188, 40.627, 42.581, 45.525, 48.958, 55.68,
        55.368, 67.716, 116.499, 62.158, 90.105, 267.715, 75.621, 190.031, 619.585, 49.223, 50.794, 56.753,
        55.287, 59.26, 72.147, 65.393, 78.152, 126.715, 72.133, 98.016, 206.889, 89.621, 208.121, 639.364,
        54.274, 54.969, 60.703, 60.353, 62.479, 78.989, 70.556, 81.9, 156.961, 77.082, 106.533, 293.895,
        93.668, 209.173, 641.179, 66.128, 69.113, 72.857, 74.037, 78.206, 86.362, 85.92, 97.499, 147.065,
        92.63, 119.847, 324.518, 108.71, 215.424, 644.654, 96.428, 97.785, 103.799, 102.903, 106.64, 122.859,
        113.837, 126.532, 175.949, 121.307, 148.247, 255.566, 139.296, 255.348, 688.269, 105.414, 105.942,
        111.774, 111.887, 114.687, 130.516, 122.982, 134.394, 231.119, 130.352, 158.215, 390.357, 147.264,
        256.518, 689.418, 129.545, 131.971, 135.605, 136.612, 141.674, 150.459, 149.885, 161.743, 210.699,
        157.193, 182.002, 390.261, 173.996, 262.338, 691.795, 193.273, 193.748, 200.557, 195.117, 198.25,
        214.038, 201.401, 213.542, 306.071, 209.77, 237.342, 392.098, 226.772, 334.254, 764.962, 210.13,
        210.449, 215.84, 211.888, 214.824, 230.184, 218.197, 229.768, 327.339, 226.587, 250.964, 479.379,
        243.281, 334.64, 766.572, 260.328, 261.063, 263.563, 262.93, 265.105, 275.945, 267.176, 280.261,
        326.583, 276.661, 301.371, 449.837, 293.492, 351.287, 771.269,
      ],
    },
  },
  context_skew: { decode: 0.03, mixed: 0.07 },
  all_reduce: null,
  overheads: { http_ms: 0, schedule_ms: 0, first_token_ms: 0, step_host_ms: 0 },
  gpu_memory_utilization: 0.9,
  kv_capacity_tokens: null,
};
