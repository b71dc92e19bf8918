import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const qwen332bH100Tp2Bf16 = assembleProfile({
  name: "qwen3-32b-h100-tp2-bf16",
  model: "Qwen3-32B",
  weightBytes: 2,
  card: "H100",
  tp: 2,
  source: "aiconfigurator",
  fitErrorPct: [
    [1.7, 4.5],
    [2.4, 10.2],
    [null, null],
  ],
  stepTime: {
    decode: [
      { from_sequences: 1, base_ms: 13.55, per_sequence_ms: 0.02611, per_context_token_ms: 0.00004485 },
    ],
    prefill: {
      floor_ms: 19.46,
      base_ms: 3.515,
      per_token_ms: 0.05028,
      per_request_ms: 0,
      per_pair_ms: 0.000001602,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.00007535 },
  },
});
