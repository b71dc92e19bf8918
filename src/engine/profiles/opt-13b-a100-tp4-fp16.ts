import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const opt13bA100Tp4Fp16 = assembleProfile({
  name: "opt-13b-a100-tp4-fp16",
  model: "OPT-13B",
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
      { from_sequences: 1, base_ms: 10.26, per_sequence_ms: 0.03269, per_context_token_ms: 0.0001879 },
      { from_sequences: 95, base_ms: 10.48, per_sequence_ms: 0.04567, per_context_token_ms: 0.0001712 },
    ],
    prefill: {
      floor_ms: 0,
      base_ms: 12.06,
      per_token_ms: 0.03808,
      per_request_ms: 0,
      per_pair_ms: 0.000001045,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.0003157 },
  },
});
