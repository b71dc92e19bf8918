import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const opt66bA100Tp2Fp16 = assembleProfile({
  name: "opt-66b-a100-tp2-fp16",
  model: "OPT-66B",
  weightBytes: 2,
  card: "A100-80GB",
  tp: 2,
  source: "distserve",
  validation:
    "not validated here; DistServe reports SLO attainment within 2 points of its engine with these coefficients",
  fitErrorPct: [
    [null, null],
    [null, null],
    [null, null],
  ],
  stepTime: {
    decode: [
      { from_sequences: 1, base_ms: 48.29, per_sequence_ms: 0.1276, per_context_token_ms: 0.0009424 },
      { from_sequences: 95, base_ms: 28.73, per_sequence_ms: 0.2962, per_context_token_ms: 0.0004745 },
    ],
    prefill: {
      floor_ms: 0,
      base_ms: 43.06,
      per_token_ms: 0.2742,
      per_request_ms: 0,
      per_pair_ms: 0.00004496,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.001583 },
  },
});
