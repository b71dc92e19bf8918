import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const llama3170bH100Tp4Bf16 = assembleProfile({
  name: "llama-3.1-70b-h100-tp4-bf16",
  model: "Llama-3.1-70B",
  weightBytes: 2,
  card: "H100",
  tp: 4,
  source: "aiconfigurator",
  fitErrorPct: [
    [1.5, 2.9],
    [3.1, 6.6],
    [null, null],
  ],
  stepTime: {
    decode: [
      { from_sequences: 1, base_ms: 15.25, per_sequence_ms: 0.03101, per_context_token_ms: 0.00002728 },
    ],
    prefill: { floor_ms: 20, base_ms: 7.168, per_token_ms: 0.0611, per_request_ms: 0, per_pair_ms: 8.726e-7 },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.00004583 },
  },
});
