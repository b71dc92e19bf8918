import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const llama270bH100Tp8Fp16 = assembleProfile({
  name: "llama-2-70b-h100-tp8-fp16",
  model: "Llama-2-70B",
  weightBytes: 2,
  card: "H100",
  tp: 8,
  source: "splitwiseTable",
  fitErrorPct: [
    [1.9, 6.8],
    [null, null],
    [null, null],
  ],
  stepTime: {
    decode: [{ from_sequences: 1, base_ms: 29.94, per_sequence_ms: 0.2075, per_context_token_ms: 0.0001616 }],
    prefill: {
      chunk_tokens: [128, 256, 512, 1024, 2048, 4096, 8192],
      cached_tokens: [0],
      ms: [58.185, 51.659, 53.386, 77.913, 136.797, 390.291, 844.885],
    },
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0.0002715 },
  },
});
