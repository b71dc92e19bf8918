import type { LegBranches } from "./records.js";

/** `mean p50 p75 p90 p95 p99 max` of one sample; null where the sample is empty. */
export interface Distribution {
  readonly mean: number | null;
  readonly p50: number | null;
  readonly p75: number | null;
  readonly p90: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

/** Spread of a quantity over the workers of one leg. */
export interface Balance {
  readonly max_over_mean: number | null;
  readonly coefficient_of_variation: number | null;
}

export interface WorkerSummary {
  readonly id: string;
  readonly role: "prefill" | "decode";
  readonly requests: number;
  readonly busy_s: number;
  readonly utilization: number;
  readonly max_running: number;
  readonly max_waiting: number;
  readonly kv_peak: number;
  readonly hit_rate: number | null;
  readonly preemptions: number;
}

/** Service-level objective; null = not asked for. */
export interface Slo {
  readonly ttft_ms: number | null;
  readonly tpot_ms: number | null;
  readonly e2e_ms: number | null;
}

/** Where a run comes from, as `sweep.json` says it of a sweep. */
export interface Provenance {
  readonly versions?: { readonly pdbench: string };
  /** SHA-256 of the trace file or of the generator's settings; absent where the trace was a pipe. */
  readonly workload_hash?: string;
}

/** `summary.json`. Those within `sweep.json` have no provenance of their own. */
export interface Summary extends Provenance {
  readonly schema: "pdbench/summary@1";
  readonly scenario: string;
  /** Every setting that was in force. */
  readonly settings: unknown;
  readonly requests: {
    readonly total: number;
    readonly completed: number;
    readonly failed: number;
    readonly cancelled: number;
  };
  readonly duration_s: number;
  readonly throughput: {
    readonly requests_per_s: number;
    readonly input_tokens_per_s: number;
    readonly output_tokens_per_s: number;
  };
  readonly ttft_ms: Distribution;
  readonly itl_ms: Distribution;
  readonly tpot_ms: Distribution;
  readonly e2e_ms: Distribution;
  readonly queue_ms: Distribution;
  readonly kv_transfer_ms: Distribution;
  readonly cache: {
    readonly hit_rate: number | null;
    readonly hit_tokens: number;
    readonly prompt_tokens: number;
    readonly prefill_hit_rate: number | null;
    readonly decode_hit_rate: number | null;
  };
  readonly routing: {
    readonly disaggregated: number;
    readonly decode_only: number;
    /** Requests by the decider's branch. */
    readonly branches: Readonly<Record<string, number>>;
    /** Choices of workers by leg and by the policy's branch; left out where a live run does not know them. */
    readonly leg_branches?: LegBranches;
    readonly mean_decision_us?: number;
  };
  readonly goodput: { readonly slo: Slo; readonly attainment: number; readonly requests_per_s: number };
  readonly balance: Readonly<
    Record<"prefill" | "decode", { readonly requests: Balance; readonly busy: Balance }>
  >;
  readonly workers: readonly WorkerSummary[];
  readonly score: { readonly value: number; readonly terms: Readonly<Record<string, number>> };
  /** What a reader should know of the run; one sentence each. */
  readonly notes: readonly string[];
  /** How percentiles were found; left out where they are exact. */
  readonly percentiles?: {
    readonly method: "sketch";
    /** Most that a percentile is off, as a share of itself. */
    readonly relative_error: number;
  };
  readonly simulator?: {
    readonly wall_s: number;
    readonly requests_per_s: number;
    readonly events: number;
    readonly steps: number;
  };
}
