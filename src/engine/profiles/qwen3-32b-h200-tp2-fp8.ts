import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const qwen332bH200Tp2Fp8 = assembleProfile({
  name: "qwen3-32b-h200-tp2-fp8",
  model: "Qwen3-32B",
  weightBytes: 1,
  card: "H200",
  tp: 2,
  source: "aiconfigurator",
  fitErrorPct: [
    [5.9, 20.5],
    [2.4, 15.4],
    [null, null],
  ],
  stepTime: {
    decode: [
      { from_sequences: 1, base_ms: 19.08, per_sequence_ms: 0.09257, per_context_token_ms: 0.00003088 },
    ],
    prefill: {
      floor_ms: 30.97,
      base_ms: 15.15,
      per_token_ms: 0.03387,
      per_request_ms: 0,
      per_pair_ms: 0.000001433,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.00005188 },
  },
});
