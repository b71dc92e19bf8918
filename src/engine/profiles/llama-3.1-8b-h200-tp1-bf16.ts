import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const llama318bH200Tp1Bf16 = assembleProfile({
  name: "llama-3.1-8b-h200-tp1-bf16",
  model: "Llama-3.1-8B",
  weightBytes: 2,
  card: "H200",
  tp: 1,
  source: "aiconfigurator",
  fitErrorPct: [
    [1.8, 3.8],
    [3.4, 15.8],
    [null, null],
  ],
  stepTime: {
    decode: [
      { from_sequences: 1, base_ms: 4.913, per_sequence_ms: 0.007418, per_context_token_ms: 0.00003217 },
    ],
    prefill: {
      floor_ms: 6.247,
      base_ms: 0.4382,
      per_token_ms: 0.02062,
      per_request_ms: 0,
      per_pair_ms: 7.833e-7,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.00005405 },
  },
});
