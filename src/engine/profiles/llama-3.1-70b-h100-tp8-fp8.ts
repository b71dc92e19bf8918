import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const llama3170bH100Tp8Fp8 = assembleProfile({
  name: "llama-3.1-70b-h100-tp8-fp8",
  model: "Llama-3.1-70B",
  weightBytes: 1,
  card: "H100",
  tp: 8,
  source: "aiconfigurator",
  fitErrorPct: [
    [2.1, 5],
    [2.8, 5.6],
    [null, null],
  ],
  stepTime: {
    decode: [
      { from_sequences: 1, base_ms: 8.096, per_sequence_ms: 0.02965, per_context_token_ms: 0.0000137 },
    ],
    prefill: {
      floor_ms: 12.74,
      base_ms: 8.462,
      per_token_ms: 0.03314,
      per_request_ms: 0,
      per_pair_ms: 3.402e-7,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.00002302 },
  },
});
