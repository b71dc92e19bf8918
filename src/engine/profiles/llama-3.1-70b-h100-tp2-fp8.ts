import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const llama3170bH100Tp2Fp8 = assembleProfile({
  name: "llama-3.1-70b-h100-tp2-fp8",
  model: "Llama-3.1-70B",
  weightBytes: 1,
  card: "H100",
  tp: 2,
  source: "aiconfigurator",
  fitErrorPct: [
    [0.9, 4.5],
    [3.6, 7.8],
    [null, null],
  ],
  stepTime: {
    decode: [
      { from_sequences: 1, base_ms: 16.97, per_sequence_ms: 0.03126, per_context_token_ms: 0.00005179 },
    ],
    prefill: {
      floor_ms: 21.61,
      base_ms: 8.368,
      per_token_ms: 0.07152,
      per_request_ms: 0,
      per_pair_ms: 0.000002013,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.00008701 },
  },
});
