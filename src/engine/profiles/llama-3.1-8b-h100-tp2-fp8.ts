import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const llama318bH100Tp2Fp8 = assembleProfile({
  name: "llama-3.1-8b-h100-tp2-fp8",
  model: "Llama-3.1-8B",
  weightBytes: 1,
  card: "H100",
  tp: 2,
  source: "aiconfigurator",
  fitErrorPct: [
    [1.3, 5.4],
    [2.2, 9.8],
    [null, null],
  ],
  stepTime: {
    decode: [
      { from_sequences: 1, base_ms: 3.206, per_sequence_ms: 0.008418, per_context_token_ms: 0.00002071 },
    ],
    prefill: {
      floor_ms: 4.481,
      base_ms: 2.735,
      per_token_ms: 0.01047,
      per_request_ms: 0,
      per_pair_ms: 3.405e-7,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.00003479 },
  },
});
