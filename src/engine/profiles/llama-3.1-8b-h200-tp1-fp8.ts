import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const llama318bH200Tp1Fp8 = assembleProfile({
  name: "llama-3.1-8b-h200-tp1-fp8",
  model: "Llama-3.1-8B",
  weightBytes: 1,
  card: "H200",
  tp: 1,
  source: "aiconfigurator",
  fitErrorPct: [
    [2, 6.3],
    [2.3, 11.3],
    [null, null],
  ],
  stepTime: {
    decode: [
      { from_sequences: 1, base_ms: 3.775, per_sequence_ms: 0.006396, per_context_token_ms: 0.00003174 },
    ],
    prefill: {
      floor_ms: 4.933,
      base_ms: 2.543,
      per_token_ms: 0.01224,
      per_request_ms: 0,
      per_pair_ms: 8.083e-7,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.00005332 },
  },
});
