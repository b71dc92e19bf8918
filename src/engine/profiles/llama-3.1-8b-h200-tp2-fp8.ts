import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const llama318bH200Tp2Fp8 = assembleProfile({
  name: "llama-3.1-8b-h200-tp2-fp8",
  model: "Llama-3.1-8B",
  weightBytes: 1,
  card: "H200",
  tp: 2,
  source: "aiconfigurator",
  fitErrorPct: [
    [1.9, 7.4],
    [2.1, 12.8],
    [null, null],
  ],
  stepTime: {
    decode: [
      { from_sequences: 1, base_ms: 2.915, per_sequence_ms: 0.0088, per_context_token_ms: 0.00001459 },
    ],
    prefill: {
      floor_ms: 4.171,
      base_ms: 2.285,
      per_token_ms: 0.00932,
      per_request_ms: 0,
      per_pair_ms: 3.667e-7,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.00002451 },
  },
});
