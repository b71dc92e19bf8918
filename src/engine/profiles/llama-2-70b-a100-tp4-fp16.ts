import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const llama270bA100Tp4Fp16 = assembleProfile({
  name: "llama-2-70b-a100-tp4-fp16",
  model: "Llama-2-70B",
  weightBytes: 2,
  card: "A100-80GB",
  tp: 4,
  source: "splitwise",
  fitErrorPct: [
    [2.3, 7.4],
    [1.7, 10.7],
    [null, null],
  ],
  stepTime: {
    decode: [{ from_sequences: 1, base_ms: 43.35, per_sequence_ms: 0.1939, per_context_token_ms: 0.0003628 }],
    prefill: {
      floor_ms: 63.46,
      base_ms: 32.16,
      per_token_ms: 0.1784,
      per_request_ms: 0,
      per_pair_ms: 0.0000234,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.0006095 },
  },
});
