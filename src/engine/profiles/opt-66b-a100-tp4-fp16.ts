import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const opt66bA100Tp4Fp16 = assembleProfile({
  name: "opt-66b-a100-tp4-fp16",
  model: "OPT-66B",
  weightBytes: 2,
  card: "A100-80GB",
  tp: 4,
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
      { from_sequences: 1, base_ms: 30.76, per_sequence_ms: 0.06328, per_context_token_ms: 0.0004519 },
      { from_sequences: 95, base_ms: 27.47, per_sequence_ms: 0.1248, per_context_token_ms: 0.0004047 },
    ],
    prefill: {
      floor_ms: 0,
      base_ms: 29.44,
      per_token_ms: 0.1514,
      per_request_ms: 0,
      per_pair_ms: 0.00001663,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.0007592 },
  },
});
