import type { Preset } from "./preset.js";

/** NVIDIA Dynamo's KV router with prefill workers. */
export const dynamo: Preset = {
  name: "dynamo",
  summary: "NVIDIA Dynamo KV router: cost in KV blocks, prefill by overlap, decode by open blocks.",
  source: "NVIDIA Dynamo 1.4 (07a6c9ce), command-line defaults",
  models: [
    "every request is disaggregated: conditional disaggregation is off by default (deciders effective_length, prefill_busy, length_or_load)",
    "prefill workers: overlap credit 1, no decode blocks; decode workers: no overlap credit, no prefill tokens",
    "prefill tokens count until the first token; ties are random",
  ],
  doesNotModel: [
    "KV events by default: its approximate mode is used (a routed prefix counts for 120 s); set kv_index to kv_events for precise mode",
    "growth of outputs in the block counts, host and disk tiers, topology taints",
    "the router's queue and priorities, replica synchronisation",
  ],
  settings: {
    decider: "always",
    policy: "dynamo_kv",
    order: "decode_first",
    prefill: { track_decode_blocks: false },
    decode: { overlap_score_credit: 0, track_prefill_tokens: false },
  },
  parameters: {
    dynamo_kv: { overlap_score_credit: 1, prefill_load_scale: 1, router_temperature: 0, kv_index: "routing" },
    dynamo_two_tier: { cache_threshold: 0.5, balance_abs_threshold: 32, balance_rel_threshold: 1.1 },
    effective_length: { eff_isl_threshold: 2048, eff_isl_ratio_threshold: 0.7 },
    length_or_load: { eff_isl_threshold: 2048, eff_isl_ratio_threshold: 0.7 },
  },
  statsIntervalMs: null,
};
