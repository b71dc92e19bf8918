import { readFileSync } from "node:fs";
import { VLLM_VERSIONS, type VllmVersion } from "../../src/engine/vllm-versions.js";
import type { EngineConfig } from "../../src/engine/types.js";

/** A golden schedule: what vLLM's own scheduler did on given requests. Fields are explained in each file. */
export interface GoldenScenario {
  readonly name: string;
  readonly vllm: { readonly label: string; readonly commit: string };
  readonly config?: GoldenConfig;
  readonly config_prefill?: GoldenConfig;
  readonly config_decode?: GoldenConfig;
  readonly transfer?: { readonly base_ns: number; readonly per_block_ns: number };
  readonly requests: readonly GoldenRequest[];
  readonly aborts: readonly GoldenAbort[];
  readonly error: unknown;
  readonly totals: GoldenTotals | { readonly P: GoldenTotals; readonly D: GoldenTotals };
  readonly results?: Readonly<Record<string, GoldenResult>>;
  readonly results_prefill?: Readonly<Record<string, GoldenResult>>;
  readonly results_decode?: Readonly<Record<string, GoldenResult>>;
  readonly steps?: readonly GoldenStep[];
  readonly steps_prefill?: readonly GoldenStep[];
  readonly steps_decode?: readonly GoldenStep[];
}

export interface GoldenConfig {
  readonly block_size: number;
  readonly num_gpu_blocks: number;
  readonly max_num_seqs: number;
  readonly max_num_batched_tokens: number;
  readonly long_prefill_token_threshold: number;
  readonly max_model_len: number;
  readonly enable_prefix_caching: boolean;
  readonly enable_chunked_prefill: boolean;
  readonly policy: "fcfs" | "priority";
  readonly async_scheduling: boolean;
  readonly scheduler_reserve_full_isl: boolean | null;
}

export interface GoldenRequest {
  readonly id: string;
  readonly arrival_ns: number;
  /** Ranges of token ids: start, length. */
  readonly prompt: readonly (readonly [number, number])[];
  readonly max_tokens: number;
  readonly priority: number;
  readonly output_start: number;
  /** Served by the decode engine alone. */
  readonly local?: boolean;
}

/** Where prefill and decode are apart, a further field names the engine. */
export type GoldenAbort = { readonly id: string; readonly time_ns: number } & Readonly<
  Record<string, unknown>
>;

export interface GoldenTotals {
  readonly n_steps: number;
  readonly scheduled_tokens: number;
  readonly preemptions: number;
  readonly free_blocks_end: number;
}

export interface GoldenResult {
  readonly arrival_ns: number;
  readonly first_sched_ns: number | null;
  readonly finish_ns: number | null;
  readonly finish_reason: string | null;
  readonly n_prompt: number;
  readonly n_output: number;
  /** Tokens not computed at first admission, remote ones included; -1 = never admitted. */
  readonly num_cached_tokens: number;
  readonly preemptions: number;
  readonly token_times_ns: readonly number[];
}

export interface GoldenStep {
  readonly k: number;
  readonly t: number;
  readonly t_exec?: number;
  readonly dur: number;
  readonly t_end: number;
  readonly tok: number;
  /** id, kind, tokens computed before, tokens, blocks. */
  readonly sched: readonly (readonly [string, string, number, number, readonly number[]])[];
  readonly preempted: readonly string[];
  readonly evicted: readonly number[];
  readonly free0: number;
  readonly free1: number;
  readonly free2: number;
  readonly pcs?: readonly number[];
  readonly free_queue?: readonly number[];
  readonly tokens_for: readonly string[];
  readonly finished: readonly string[];
  /** Loads begun: id, blocks to read. */
  readonly xfer_start?: readonly (readonly [string, number])[];
}

const VERSION_OF_COMMIT: Readonly<Record<string, VllmVersion>> = {
  fa7e254a7f3ea7b28f1c5908c83ac57275d3c090: "0.11",
  f1fc2107a314ddfdba31348dc134bb861ccd77a1: "0.11",
  "9d780002bd11b2c6c73333ccfd16cb5cd09e1e66": "0.19",
  "017e9f4448b700e85ee16023287b025693c72b9e": "main-2026-08",
};

export function readScenario(path: string): GoldenScenario {
  return JSON.parse(readFileSync(path, "utf8")) as GoldenScenario;
}

/** Why a scenario cannot be compared, or null. */
export function skipReason(scenario: GoldenScenario): string | null {
  if (!(scenario.vllm.commit in VERSION_OF_COMMIT)) return `no rules for vLLM ${scenario.vllm.label}`;
  if (scenario.error !== null) return "vLLM itself failed in it";
  const steps = [scenario.steps, scenario.steps_prefill, scenario.steps_decode].flatMap((part) => part ?? []);
  const ghosts = steps.some((step) => step.sched.some((entry) => entry[1] === "GHOST"));
  return ghosts ? "it shows a defect of that vLLM (kind GHOST)" : null;
}

/** The engine settings of a scenario, under the rules of its vLLM version. */
export function engineConfig(scenario: GoldenScenario, config: GoldenConfig): EngineConfig {
  const rules = VLLM_VERSIONS[VERSION_OF_COMMIT[scenario.vllm.commit]!];
  const reserve = config.scheduler_reserve_full_isl;
  return {
    blockSize: config.block_size,
    numGpuBlocks: config.num_gpu_blocks,
    maxNumSeqs: config.max_num_seqs,
    maxNumBatchedTokens: config.max_num_batched_tokens,
    longPrefillTokenThreshold: config.long_prefill_token_threshold,
    maxModelLen: config.max_model_len,
    enablePrefixCaching: config.enable_prefix_caching,
    enableChunkedPrefill: config.enable_chunked_prefill,
    schedulingPolicy: config.policy,
    asyncScheduling: config.async_scheduling,
    rules: reserve === null ? rules : { ...rules, reserveFullSequence: reserve },
  };
}
