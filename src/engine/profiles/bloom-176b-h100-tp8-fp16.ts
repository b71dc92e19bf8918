import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const bloom176bH100Tp8Fp16 = assembleProfile({
  name: "bloom-176b-h100-tp8-fp16",
  model: "BLOOM-176B",
  weightBytes: 2,
  card: "H100",
  tp: 8,
  source: "splitwise",
  fitErrorPct: [
    [1.8, 6.6],
    [2.8, 14.6],
    [null, null],
  ],
  stepTime: {
    decode: [{ from_sequences: 1, base_ms: 35.66, per_sequence_ms: 0.2913, per_context_token_ms: 0.0001436 }],
    prefill: {
      floor_ms: 48.09,
      base_ms: 27.51,
      per_token_ms: 0.08892,
      per_request_ms: 0,
      per_pair_ms: 0.00002345,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.0002412 },
  },
});
