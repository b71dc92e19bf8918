import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const llama270bH100Tp4Fp16 = assembleProfile({
  name: "llama-2-70b-h100-tp4-fp16",
  model: "Llama-2-70B",
  weightBytes: 2,
  card: "H100",
  tp: 4,
  source: "splitwise",
  fitErrorPct: [
    [1.7, 9.6],
    [2.2, 8],
    [null, null],
  ],
  stepTime: {
    decode: [
      { from_sequences: 1, base_ms: 28.98, per_sequence_ms: 0.2439, per_context_token_ms: 0.00007417 },
    ],
    prefill: {
      floor_ms: 49.84,
      base_ms: 14.89,
      per_token_ms: 0.08498,
      per_request_ms: 0,
      per_pair_ms: 0.000007549,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.0001246 },
  },
});
