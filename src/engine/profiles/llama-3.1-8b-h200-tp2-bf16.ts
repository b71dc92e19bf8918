import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const llama318bH200Tp2Bf16 = assembleProfile({
  name: "llama-3.1-8b-h200-tp2-bf16",
  model: "Llama-3.1-8B",
  weightBytes: 2,
  card: "H200",
  tp: 2,
  source: "aiconfigurator",
  fitErrorPct: [
    [1.2, 3.4],
    [1.8, 10.2],
    [null, null],
  ],
  stepTime: {
    decode: [
      { from_sequences: 1, base_ms: 3.348, per_sequence_ms: 0.007504, per_context_token_ms: 0.00001476 },
    ],
    prefill: { floor_ms: 4.36, base_ms: 1.736, per_token_ms: 0.01236, per_request_ms: 0, per_pair_ms: 4e-7 },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.0000248 },
  },
});
