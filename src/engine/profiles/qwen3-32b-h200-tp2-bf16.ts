import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const qwen332bH200Tp2Bf16 = assembleProfile({
  name: "qwen3-32b-h200-tp2-bf16",
  model: "Qwen3-32B",
  weightBytes: 2,
  card: "H200",
  tp: 2,
  source: "aiconfigurator",
  fitErrorPct: [
    [0.7, 2.6],
    [3.4, 6.1],
    [null, null],
  ],
  stepTime: {
    decode: [
      { from_sequences: 1, base_ms: 10.67, per_sequence_ms: 0.02116, per_context_token_ms: 0.0000305 },
    ],
    prefill: {
      floor_ms: 15.33,
      base_ms: 5.758,
      per_token_ms: 0.04764,
      per_request_ms: 0,
      per_pair_ms: 0.000001799,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.00005124 },
  },
});
