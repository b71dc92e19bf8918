import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const llama3170bH200Tp4Bf16 = assembleProfile({
  name: "llama-3.1-70b-h200-tp4-bf16",
  model: "Llama-3.1-70B",
  weightBytes: 2,
  card: "H200",
  tp: 4,
  source: "aiconfigurator",
  fitErrorPct: [
    [1.6, 8.2],
    [2.6, 6.8],
    [null, null],
  ],
  stepTime: {
    decode: [
      { from_sequences: 1, base_ms: 12.22, per_sequence_ms: 0.0283, per_context_token_ms: 0.00001857 },
    ],
    prefill: {
      floor_ms: 16.36,
      base_ms: 5.811,
      per_token_ms: 0.0595,
      per_request_ms: 0,
      per_pair_ms: 0.000001297,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.0000312 },
  },
});
