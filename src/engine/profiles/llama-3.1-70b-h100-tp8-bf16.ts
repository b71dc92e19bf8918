import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const llama3170bH100Tp8Bf16 = assembleProfile({
  name: "llama-3.1-70b-h100-tp8-bf16",
  model: "Llama-3.1-70B",
  weightBytes: 2,
  card: "H100",
  tp: 8,
  source: "aiconfigurator",
  fitErrorPct: [
    [1.7, 3.5],
    [1.3, 2.3],
    [null, null],
  ],
  stepTime: {
    decode: [
      { from_sequences: 1, base_ms: 10.12, per_sequence_ms: 0.02276, per_context_token_ms: 0.0000136 },
    ],
    prefill: {
      floor_ms: 13.78,
      base_ms: 6.864,
      per_token_ms: 0.03877,
      per_request_ms: 0,
      per_pair_ms: 3.701e-7,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.00002285 },
  },
});
