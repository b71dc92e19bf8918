import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const opt13bA100Tp1Fp16 = assembleProfile({
  name: "opt-13b-a100-tp1-fp16",
  model: "OPT-13B",
  weightBytes: 2,
  card: "A100-80GB",
  tp: 1,
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
      { from_sequences: 1, base_ms: 19.93, per_sequence_ms: 0.03851, per_context_token_ms: 0.0006269 },
      { from_sequences: 95, base_ms: 7.166, per_sequence_ms: 0.1583, per_context_token_ms: 0.0005798 },
    ],
    prefill: { floor_ms: 0, base_ms: 18.1, per_token_ms: 0.1019, per_request_ms: 0, per_pair_ms: 0.00001424 },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.001053 },
  },
});
