import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const opt13bA100Tp2Fp16 = assembleProfile({
  name: "opt-13b-a100-tp2-fp16",
  model: "OPT-13B",
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
      { from_sequences: 1, base_ms: 13.29, per_sequence_ms: 0.06296, per_context_token_ms: 0.0003411 },
      { from_sequences: 95, base_ms: 10.64, per_sequence_ms: 0.08563, per_context_token_ms: 0.0003118 },
    ],
    prefill: {
      floor_ms: 0,
      base_ms: 14.74,
      per_token_ms: 0.06858,
      per_request_ms: 0,
      per_pair_ms: 0.000004899,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.000573 },
  },
});
