import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const llama318bH100Tp1Fp8 = assembleProfile({
  name: "llama-3.1-8b-h100-tp1-fp8",
  model: "Llama-3.1-8B",
  weightBytes: 1,
  card: "H100",
  tp: 1,
  source: "aiconfigurator",
  fitErrorPct: [
    [2.6, 5.3],
    [2.6, 9.6],
    [null, null],
  ],
  stepTime: {
    decode: [
      { from_sequences: 1, base_ms: 4.433, per_sequence_ms: 0.007208, per_context_token_ms: 0.0000437 },
    ],
    prefill: {
      floor_ms: 5.618,
      base_ms: 2.579,
      per_token_ms: 0.01432,
      per_request_ms: 0,
      per_pair_ms: 7.86e-7,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.00007342 },
  },
});
