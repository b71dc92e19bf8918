import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const llama318bH100Tp1Bf16 = assembleProfile({
  name: "llama-3.1-8b-h100-tp1-bf16",
  model: "Llama-3.1-8B",
  weightBytes: 2,
  card: "H100",
  tp: 1,
  source: "aiconfigurator",
  fitErrorPct: [
    [2.9, 5.8],
    [2.5, 9.3],
    [null, null],
  ],
  stepTime: {
    decode: [
      { from_sequences: 1, base_ms: 6.338, per_sequence_ms: 0.009095, per_context_token_ms: 0.00004457 },
    ],
    prefill: {
      floor_ms: 7.902,
      base_ms: 1.203,
      per_token_ms: 0.02039,
      per_request_ms: 0,
      per_pair_ms: 7.709e-7,
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.00007488 },
  },
});
