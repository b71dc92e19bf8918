import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const llama3170bH200Tp8Bf16 = assembleProfile({
  name: "llama-3.1-70b-h200-tp8-bf16",
  model: "Llama-3.1-70B",
  weightBytes: 2,
  card: "H200",
  tp: 8,
  source: "aiconfigurator",
  fitErrorPct: [
    [1.9, 4.5],
    [1.9, 4.5],
    [null, null],
  ],
  stepTime: {
    decode: [
      { from_sequences: 1, base_ms: 8.227, per_sequence_ms: 0.02474, per_context_token_ms: 0.000009763 },
    ],
    prefill: {
      floor_ms: 12.02,
      base_ms: 5.884,
      per_token_ms: 0.03701,
      per_request_ms: 0,
      per_pair_ms: 5.922e-7,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.0000164 },
  },
});
