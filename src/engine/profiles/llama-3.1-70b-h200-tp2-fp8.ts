import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const llama3170bH200Tp2Fp8 = assembleProfile({
  name: "llama-3.1-70b-h200-tp2-fp8",
  model: "Llama-3.1-70B",
  weightBytes: 1,
  card: "H200",
  tp: 2,
  source: "aiconfigurator",
  fitErrorPct: [
    [2.1, 9.7],
    [1.5, 4.4],
    [null, null],
  ],
  stepTime: {
    decode: [
      { from_sequences: 1, base_ms: 13.8, per_sequence_ms: 0.03198, per_context_token_ms: 0.00003633 },
    ],
    prefill: {
      floor_ms: 18.18,
      base_ms: 7.303,
      per_token_ms: 0.06468,
      per_request_ms: 0,
      per_pair_ms: 0.000002222,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.00006103 },
  },
});
