import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const qwen332bH100Tp4Bf16 = assembleProfile({
  name: "qwen3-32b-h100-tp4-bf16",
  model: "Qwen3-32B",
  weightBytes: 2,
  card: "H100",
  tp: 4,
  source: "aiconfigurator",
  fitErrorPct: [
    [2, 4.5],
    [2.5, 4.7],
    [null, null],
  ],
  stepTime: {
    decode: [
      { from_sequences: 1, base_ms: 8.284, per_sequence_ms: 0.01888, per_context_token_ms: 0.0000221 },
    ],
    prefill: {
      floor_ms: 12.76,
      base_ms: 7.46,
      per_token_ms: 0.02863,
      per_request_ms: 0,
      per_pair_ms: 8.299e-7,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.00003713 },
  },
});
