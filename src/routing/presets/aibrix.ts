import type { Preset } from "./preset.js";

/** AIBrix's gateway, pd router. */
export const aibrix: Preset = {
  name: "aibrix",
  summary: "AIBrix pd router: both legs together within a roleset, prefix score and load score.",
  source: "AIBrix gateway plugins (August 2026), code defaults",
  models: [
    "every request is disaggregated; both legs come from one roleset (worker groups)",
    "prefill: (100 - percent held) x 0.1 + load share, workers above mean + 1 deviation left out, difference above 16 binds",
    "decode: (share of the most running requests + 1) over free KV, the 1 for a token throughput that vLLM does not tell; a difference of 16 or more binds, within the roleset that the prefill leg bound",
    "the prefix index is written at routing and lasts 20 minutes",
  ],
  doesNotModel: [
    "the rules on token throughput and drain rate, whose statistics vLLM does not give; the conductor scores",
    "prompt length bucketing and combined pods (decider length_bucket), off by default",
    "an error when every prefill worker is above the bound: one is always left",
    "4-byte blocks of the character tokenizer: prompts are matched by content",
  ],
  settings: { decider: "always", policy: "aibrix_pd", order: "joint", without_prefill_worker: "reject" },
  parameters: {
    aibrix_pd: { miss_weight: 0.1, stddev_factor: 1, index_ttl_s: 1200, index_capacity: 200_000 },
    aibrix_prefix_cache: { imbalance_abs_threshold: 8, stddev_factor: 1 },
  },
  statsIntervalMs: 50,
};
