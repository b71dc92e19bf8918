import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const qwen332bH100Tp2Fp8 = assembleProfile({
  name: "qwen3-32b-h100-tp2-fp8",
  model: "Qwen3-32B",
  weightBytes: 1,
  card: "H100",
  tp: 2,
  source: "aiconfigurator",
  fitErrorPct: [
    [4.8, 18],
    [1.7, 11.9],
    [null, null],
  ],
  stepTime: {
    decode: [{ from_sequences: 1, base_ms: 19.11, per_sequence_ms: 0.143, per_context_token_ms: 0.00004114 }],
    prefill: {
      floor_ms: 36.82,
      base_ms: 14.27,
      per_token_ms: 0.03528,
      per_request_ms: 0,
      per_pair_ms: 0.000001455,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.00006912 },
  },
});
