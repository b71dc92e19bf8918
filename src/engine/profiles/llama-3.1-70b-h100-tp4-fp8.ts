import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const llama3170bH100Tp4Fp8 = assembleProfile({
  name: "llama-3.1-70b-h100-tp4-fp8",
  model: "Llama-3.1-70B",
  weightBytes: 1,
  card: "H100",
  tp: 4,
  source: "aiconfigurator",
  fitErrorPct: [
    [1.8, 5.2],
    [2.9, 5.8],
    [null, null],
  ],
  stepTime: {
    decode: [
      { from_sequences: 1, base_ms: 10.78, per_sequence_ms: 0.03494, per_context_token_ms: 0.00002665 },
    ],
    prefill: {
      floor_ms: 15.94,
      base_ms: 8.569,
      per_token_ms: 0.04648,
      per_request_ms: 0,
      per_pair_ms: 9.661e-7,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.00004477 },
  },
});
