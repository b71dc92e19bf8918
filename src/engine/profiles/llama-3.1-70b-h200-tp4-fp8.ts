import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const llama3170bH200Tp4Fp8 = assembleProfile({
  name: "llama-3.1-70b-h200-tp4-fp8",
  model: "Llama-3.1-70B",
  weightBytes: 1,
  card: "H200",
  tp: 4,
  source: "aiconfigurator",
  fitErrorPct: [
    [2.5, 9.5],
    [1.6, 3.4],
    [null, null],
  ],
  stepTime: {
    decode: [
      { from_sequences: 1, base_ms: 9.198, per_sequence_ms: 0.03408, per_context_token_ms: 0.0000197 },
    ],
    prefill: {
      floor_ms: 14.08,
      base_ms: 7.866,
      per_token_ms: 0.04285,
      per_request_ms: 0,
      per_pair_ms: 9.828e-7,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.0000331 },
  },
});
