import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const qwen332bH100Tp4Fp8 = assembleProfile({
  name: "qwen3-32b-h100-tp4-fp8",
  model: "Qwen3-32B",
  weightBytes: 1,
  card: "H100",
  tp: 4,
  source: "aiconfigurator",
  fitErrorPct: [
    [7.8, 22.6],
    [1.7, 10.7],
    [null, null],
  ],
  stepTime: {
    decode: [
      { from_sequences: 1, base_ms: 17.76, per_sequence_ms: 0.04641, per_context_token_ms: 0.00002883 },
    ],
    prefill: {
      floor_ms: 30.1,
      base_ms: 17.75,
      per_token_ms: 0.02192,
      per_request_ms: 0,
      per_pair_ms: 7.453e-7,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.00004843 },
  },
});
