import { knownCard } from "./hardware.js";
import { profileModel } from "./profile.js";
import type { EngineProfile } from "./profile.js";

/** Decode context beside a chunk against decode context alone, where mixed steps were not measured. */
export const ASSUMED_MIXED_RATIO = 1.68;

const MIXED_ASSUMPTION =
  `Mixed steps were not measured: decode context is charged ${ASSUMED_MIXED_RATIO} times as in a pure decode step, ` +
  `the median of vLLM 0.19's kernels on RTX 4090 and RTX PRO 6000.`;

const VLLM_GRID =
  "vLLM 0.19 kernels, layer by layer on one card (LLMServingSim's profiles, MIT), summed to steps over " +
  "(prefill chunk, cached context, decodes, decode context).";

const SPLITWISE =
  "Splitwise performance database (splitwise-sim, MIT): medians on DGX machines, vLLM of 2023; single prompts " +
  "of 128 to 8192 tokens, batches of up to 64.";

/** Where the built-in profiles come from. */
export const PROFILE_SOURCES = {
  vllmGrid: VLLM_GRID,
  vllmGridWithLink: `${VLLM_GRID} All-reduce as LLMServingSim sets it for PCIe: 16 GB/s, 20 us.`,
  aiconfigurator:
    "ai-dynamo/aiconfigurator 0.11.0 kernel tables for vLLM 0.24.0 (Apache-2.0, NVIDIA), composed to whole " +
    `steps, all-reduce included. ${MIXED_ASSUMPTION}`,
  splitwise: `${SPLITWISE} ${MIXED_ASSUMPTION}`,
  splitwiseTable: `${SPLITWISE} Attention to cached context is not charged. ${MIXED_ASSUMPTION}`,
  distserve:
    "Coefficients published with DistServe (OSDI'24, Apache-2.0) for its own engine on A100-80GB, two decode lines " +
    `by batch size; it states no fit error. ${MIXED_ASSUMPTION}`,
} as const;

/** What a profile says that nobody could hold against a run. */
export const NOT_VALIDATED = "not validated: no measured run of this model on this card was at hand";

/** A built-in profile in short. */
export interface ProfileInShort {
  readonly name: string;
  /** Name of the model's shape; KV is kept in 16 bits. */
  readonly model: string;
  /** Bytes of one weight. */
  readonly weightBytes: number;
  /** A known card. */
  readonly card: string;
  readonly tp: number;
  readonly source: keyof typeof PROFILE_SOURCES;
  /** Left out = not validated. */
  readonly validation?: string;
  /** Mean and largest error of decode, prefill and mixed steps, percent. */
  readonly fitErrorPct: readonly [
    decode: readonly [number | null, number | null],
    prefill: readonly [number | null, number | null],
    mixed: readonly [number | null, number | null],
  ];
  readonly stepTime: EngineProfile["step_time"];
  /** Left out = not charged. */
  readonly contextSkew?: EngineProfile["context_skew"];
  /** Left out = contained in the step times, or one card. */
  readonly allReduce?: EngineProfile["all_reduce"];
}

/** The whole profile. The card must be known. */
export function assembleProfile(short: ProfileInShort): EngineProfile {
  const { name, card } = knownCard(short.card)!;
  const [decode, prefill, mixed] = short.fitErrorPct;
  return {
    name: short.name,
    model: profileModel(short.model, 2, short.weightBytes),
    hardware: { name, memory_bytes: card.memoryBytes },
    tp: short.tp,
    source: PROFILE_SOURCES[short.source],
    validation: short.validation ?? NOT_VALIDATED,
    fit_error: {
      decode_mean_pct: decode[0],
      decode_max_pct: decode[1],
      prefill_mean_pct: prefill[0],
      prefill_max_pct: prefill[1],
      mixed_mean_pct: mixed[0],
      mixed_max_pct: mixed[1],
    },
    step_time: short.stepTime,
    context_skew: short.contextSkew ?? { decode: 0, mixed: 0 },
    all_reduce: short.allReduce ?? null,
    overheads: { http_ms: 0, schedule_ms: 0, first_token_ms: 0, step_host_ms: 0 },
    gpu_memory_utilization: 0.9,
    kv_capacity_tokens: null,
  };
}
