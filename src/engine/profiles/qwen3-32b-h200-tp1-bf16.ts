import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const qwen332bH200Tp1Bf16 = assembleProfile({
  name: "qwen3-32b-h200-tp1-bf16",
  model: "Qwen3-32B",
  weightBytes: 2,
  card: "H200",
  tp: 1,
  source: "aiconfigurator",
  fitErrorPct: [
    [2.5, 4.3],
    [3.2, 5.4],
    [null, null],
  ],
  stepTime: {
    decode: [
      { from_sequences: 1, base_ms: 18.73, per_sequence_ms: 0.02762, per_context_token_ms: 0.00006426 },
    ],
    prefill: {
      floor_ms: 23.45,
      base_ms: 5.408,
      per_token_ms: 0.08676,
      per_request_ms: 0,
      per_pair_ms: 0.000003334,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.000108 },
  },
});
