import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const deepseekV3H200Tp8Fp8 = assembleProfile({
  name: "deepseek-v3-h200-tp8-fp8",
  model: "DeepSeek-V3",
  weightBytes: 1,
  card: "H200",
  tp: 8,
  source: "aiconfigurator",
  fitErrorPct: [
    [3, 9.4],
    [1.4, 4.5],
    [null, null],
  ],
  stepTime: {
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
});
