import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const opt66bA100Tp3Fp16 = assembleProfile({
  name: "opt-66b-a100-tp3-fp16",
  model: "OPT-66B",
  weightBytes: 2,
  card: "A100-80GB",
  tp: 3,
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
      { from_sequences: 1, base_ms: 35.8, per_sequence_ms: 0.09527, per_context_token_ms: 0.0005845 },
      { from_sequences: 95, base_ms: 22.65, per_sequence_ms: 0.2085, per_context_token_ms: 0.0005358 },
    ],
    prefill: { floor_ms: 0, base_ms: 33, per_token_ms: 0.1957, per_request_ms: 0, per_pair_ms: 0.00002441 },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.000982 },
  },
});
