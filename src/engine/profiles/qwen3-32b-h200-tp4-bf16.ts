import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const qwen332bH200Tp4Bf16 = assembleProfile({
  name: "qwen3-32b-h200-tp4-bf16",
  model: "Qwen3-32B",
  weightBytes: 2,
  card: "H200",
  tp: 4,
  source: "aiconfigurator",
  fitErrorPct: [
    [1.2, 3.2],
    [2.2, 4.6],
    [null, null],
  ],
  stepTime: {
    decode: [
      { from_sequences: 1, base_ms: 6.985, per_sequence_ms: 0.0176, per_context_token_ms: 0.00001538 },
    ],
    prefill: {
      floor_ms: 11.34,
      base_ms: 6.024,
      per_token_ms: 0.02867,
      per_request_ms: 0,
      per_pair_ms: 7.753e-7,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.00002584 },
  },
});
