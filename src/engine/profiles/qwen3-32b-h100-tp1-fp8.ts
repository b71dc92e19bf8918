import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const qwen332bH100Tp1Fp8 = assembleProfile({
  name: "qwen3-32b-h100-tp1-fp8",
  model: "Qwen3-32B",
  weightBytes: 1,
  card: "H100",
  tp: 1,
  source: "aiconfigurator",
  fitErrorPct: [
    [3.9, 15.4],
    [1.7, 6.2],
    [null, null],
  ],
  stepTime: {
    decode: [
      { from_sequences: 1, base_ms: 21.95, per_sequence_ms: 0.08778, per_context_token_ms: 0.0000932 },
    ],
    prefill: {
      floor_ms: 34.38,
      base_ms: 14.82,
      per_token_ms: 0.05445,
      per_request_ms: 0,
      per_pair_ms: 0.000003382,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.0001566 },
  },
});
