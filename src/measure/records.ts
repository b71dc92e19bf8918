/** How a request went through the fleet. */
export const PATHS = ["decode_only", "disaggregated"] as const;
export const STATUSES = ["completed", "failed", "cancelled"] as const;

/**
 * What was measured of every request, as columns; row `i` is request `i` of the workload. Times are ms from
 * the start of the run, NaN where the thing did not happen. One shape for simulated and live runs.
 */
export interface RequestRecords {
  readonly count: number;
  readonly sentMs: Float64Array;
  readonly inputTokens: Int32Array;
  /** Generated, not asked for. */
  readonly outputTokens: Int32Array;
  readonly session: Int32Array;
  /** Index into PATHS. */
  readonly path: Uint8Array;
  /** Index into the run's workers, -1 = none. */
  readonly prefillWorker: Int16Array;
  readonly decodeWorker: Int16Array;
  /** Index into the run's `branches`. */
  readonly branch: Uint16Array;
  /** Time in engine queues: prefill leg plus decode leg. */
  readonly queueMs: Float64Array;
  /** From first scheduled on the engine that prefills to the end of the prefill. */
  readonly prefillMs: Float64Array;
  readonly kvTransferMs: Float64Array;
  /** At the client. */
  readonly firstTokenMs: Float64Array;
  readonly lastTokenMs: Float64Array;
  /** 99th percentile of the request's own token gaps; NaN when not recorded. */
  readonly itlP99Ms: Float64Array;
  /** Prefix hits at first admission on the engine that prefilled the request. */
  readonly cachedTokens: Int32Array;
  /** Prefix hits at first admission on the decode engine of a disaggregated request. */
  readonly decodeCachedTokens: Int32Array;
  readonly preemptions: Uint16Array;
  /** Index into STATUSES. */
  readonly status: Uint8Array;
}

/** Gaps between tokens: run `r` is `first`, `first + delta`, ... (`steps` values), each `weight` times. */
export interface GapRuns {
  readonly length: number;
  readonly firstMs: Float64Array;
  readonly deltaMs: Float64Array;
  readonly steps: Int32Array;
  readonly weight: Int32Array;
}

export interface WorkerRecord {
  readonly id: string;
  readonly role: "prefill" | "decode";
  readonly requests: number;
  readonly busyMs: number;
  readonly maxRunning: number;
  readonly maxWaiting: number;
  readonly kvPeak: number;
  readonly promptTokens: number;
  readonly hitTokens: number;
  readonly preemptions: number;
}

/** How often each branch of a leg's policy chose the worker. */
export interface LegBranches {
  readonly prefill: Readonly<Record<string, number>>;
  readonly decode: Readonly<Record<string, number>>;
}

/** Sampled state of one worker. */
export interface TimelineRow {
  readonly atMs: number;
  /** Index into the run's workers. */
  readonly worker: number;
  readonly running: number;
  readonly waiting: number;
  readonly kvUsage: number;
}

/** What a run measured beside its requests. */
export interface RunTotals {
  readonly workers: readonly WorkerRecord[];
  /** Names of decision branches, e.g. `at_or_above_threshold`. */
  readonly branches: readonly string[];
  /** Choices of workers by leg and by the branch of the policy that made them; absent = not known (live runs). */
  readonly legBranches?: LegBranches;
  readonly timeline: readonly TimelineRow[];
  /** Sent first to ended last, ms. */
  readonly durationMs: number;
  readonly events: number;
  readonly steps: number;
  readonly notes: readonly string[];
}

/** All that a run measured; summaries, CSV files and reports are made from it. */
export interface RunResult extends RunTotals {
  readonly records: RequestRecords;
  readonly gaps: GapRuns;
}
