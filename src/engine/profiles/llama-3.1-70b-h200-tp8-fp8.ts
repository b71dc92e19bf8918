import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const llama3170bH200Tp8Fp8 = assembleProfile({
  name: "llama-3.1-70b-h200-tp8-fp8",
  model: "Llama-3.1-70B",
  weightBytes: 1,
  card: "H200",
  tp: 8,
  source: "aiconfigurator",
  fitErrorPct: [
    [2.2, 5.6],
    [1.6, 4.9],
    [null, null],
  ],
  stepTime: {
    decode: [
      { from_sequences: 1, base_ms: 7.425, per_sequence_ms: 0.02807, per_context_token_ms: 0.0000096 },
    ],
    prefill: { floor_ms: 0, base_ms: 7.818, per_token_ms: 0.03082, per_request_ms: 0, per_pair_ms: 2.889e-7 },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.00001613 },
  },
});
