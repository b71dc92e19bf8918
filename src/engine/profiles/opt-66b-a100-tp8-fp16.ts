import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const opt66bA100Tp8Fp16 = assembleProfile({
  name: "opt-66b-a100-tp8-fp16",
  model: "OPT-66B",
  weightBytes: 2,
  card: "A100-80GB",
  tp: 8,
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
      { from_sequences: 1, base_ms: 23.16, per_sequence_ms: 0.04801, per_context_token_ms: 0.0002269 },
      { from_sequences: 95, base_ms: 21.72, per_sequence_ms: 0.08979, per_context_token_ms: 0.0003758 },
    ],
    prefill: {
      floor_ms: 0,
      base_ms: 25.49,
      per_token_ms: 0.1066,
      per_request_ms: 0,
      per_pair_ms: 0.000006782,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.0003812 },
  },
});
