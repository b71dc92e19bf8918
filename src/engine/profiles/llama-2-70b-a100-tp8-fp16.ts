import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const llama270bA100Tp8Fp16 = assembleProfile({
  name: "llama-2-70b-a100-tp8-fp16",
  model: "Llama-2-70B",
  weightBytes: 2,
  card: "A100-80GB",
  tp: 8,
  source: "splitwise",
  fitErrorPct: [
    [1.7, 7.7],
    [1.7, 5.6],
    [null, null],
  ],
  stepTime: {
    decode: [{ from_sequences: 1, base_ms: 44.08, per_sequence_ms: 0.2183, per_context_token_ms: 0.0003279 }],
    prefill: {
      floor_ms: 65.18,
      base_ms: 40.29,
      per_token_ms: 0.1006,
      per_request_ms: 0,
      per_pair_ms: 0.00002048,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.0005509 },
  },
});
