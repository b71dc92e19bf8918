import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const qwen332bH200Tp1Fp8 = assembleProfile({
  name: "qwen3-32b-h200-tp1-fp8",
  model: "Qwen3-32B",
  weightBytes: 1,
  card: "H200",
  tp: 1,
  source: "aiconfigurator",
  fitErrorPct: [
    [4.2, 17],
    [2.3, 7.1],
    [null, null],
  ],
  stepTime: {
    decode: [
      { from_sequences: 1, base_ms: 20.26, per_sequence_ms: 0.06495, per_context_token_ms: 0.00006615 },
    ],
    prefill: {
      floor_ms: 29.74,
      base_ms: 17.95,
      per_token_ms: 0.05221,
      per_request_ms: 0,
      per_pair_ms: 0.000003263,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.0001111 },
  },
});
