import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const qwen332bH200Tp4Fp8 = assembleProfile({
  name: "qwen3-32b-h200-tp4-fp8",
  model: "Qwen3-32B",
  weightBytes: 1,
  card: "H200",
  tp: 4,
  source: "aiconfigurator",
  fitErrorPct: [
    [7.9, 52.7],
    [2.2, 9.9],
    [null, null],
  ],
  stepTime: {
    decode: [
      { from_sequences: 1, base_ms: 17.29, per_sequence_ms: 0.09813, per_context_token_ms: 0.00002165 },
    ],
    prefill: {
      floor_ms: 31.99,
      base_ms: 16.1,
      per_token_ms: 0.02143,
      per_request_ms: 0,
      per_pair_ms: 7.351e-7,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.00003637 },
  },
});
