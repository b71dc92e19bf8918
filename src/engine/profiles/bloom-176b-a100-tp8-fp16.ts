import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const bloom176bA100Tp8Fp16 = assembleProfile({
  name: "bloom-176b-a100-tp8-fp16",
  model: "BLOOM-176B",
  weightBytes: 2,
  card: "A100-80GB",
  tp: 8,
  source: "splitwise",
  fitErrorPct: [
    [1.6, 10.5],
    [2.8, 8.7],
    [null, null],
  ],
  stepTime: {
    decode: [{ from_sequences: 1, base_ms: 48.34, per_sequence_ms: 0.3946, per_context_token_ms: 0.0003497 }],
    prefill: {
      floor_ms: 79.22,
      base_ms: 45.83,
      per_token_ms: 0.2064,
      per_request_ms: 0,
      per_pair_ms: 0.00005462,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.0005875 },
  },
});
