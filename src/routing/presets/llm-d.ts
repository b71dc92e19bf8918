import type { Preset } from "./preset.js";

/** llm-d's inference scheduler. */
export const llmD: Preset = {
  name: "llm-d",
  summary: "llm-d scheduler: weighted scorers, decode first, disaggregation by uncached tokens.",
  source: "llm-d inference scheduler (August 2026), built-in default configuration",
  models: [
    "scores queue 2, KV use 2, prefix 3; highest score, random ties",
    "the decode worker is chosen first; the decider counts the prompt tokens it does not hold",
    "disaggregate_at_uncached_tokens is 0 by default, which means never in this product",
    "an approximate prefix index written at routing, 31,250 blocks of 16 tokens a worker, 4,096 tokens looked up at most",
    "statistics every 50 ms",
  ],
  doesNotModel: [
    "blocks counted anywhere in the prompt and heads evicted first: a held prefix is unbroken and loses its tail first",
    "the estimate of tokens as bytes / 4: prompts have exact lengths",
    "admission, saturation filters, LoRA and predicted-latency scorers",
  ],
  settings: { decider: "uncached_tokens", policy: "weighted_scorers", order: "decode_first" },
  parameters: {
    uncached_tokens: { disaggregate_at_uncached_tokens: 0, zero_means: "never" },
    weighted_scorers: {
      queue_weight: 2,
      kv_weight: 2,
      prefix_weight: 3,
      max_prefix_units: 4096,
      index_capacity: 500_000,
    },
  },
  statsIntervalMs: 50,
};
