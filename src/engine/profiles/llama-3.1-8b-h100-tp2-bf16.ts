import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const llama318bH100Tp2Bf16 = assembleProfile({
  name: "llama-3.1-8b-h100-tp2-bf16",
  model: "Llama-3.1-8B",
  weightBytes: 2,
  card: "H100",
  tp: 2,
  source: "aiconfigurator",
  fitErrorPct: [
    [1.3, 4],
    [2.7, 14.4],
    [null, null],
  ],
  stepTime: {
    decode: [{ from_sequences: 1, base_ms: 4, per_sequence_ms: 0.007513, per_context_token_ms: 0.00002094 }],
    prefill: {
      floor_ms: 5.263,
      base_ms: 1.603,
      per_token_ms: 0.01288,
      per_request_ms: 0,
      per_pair_ms: 3.802e-7,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.00003518 },
  },
});
