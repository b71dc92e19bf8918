import type { Summary } from "../measure/summary.js";
import type { Scenario } from "../scenario/schema.js";
import type { RawTrace } from "../workload/raw-trace.js";

/** One run of a sweep. */
export interface SweepTask {
  readonly id: number;
  /** With the seed of the run. */
  readonly scenario: Scenario;
  /** Where to write the run directory; null = nowhere. */
  readonly directory: string | null;
}

export interface TaskResult {
  readonly id: number;
  readonly summary: Summary | null;
  /** Why there is no summary; `isInput`: because of what the user gave. */
  readonly error: { readonly message: string; readonly isInput: boolean } | null;
}

export interface ExecutorContext {
  /** Traces in shared memory, by `traceKey`; other workloads are generated where they are needed. */
  readonly traces: readonly (readonly [string, RawTrace])[];
  /** Ends the work at once; tasks that have not ended are left out. */
  readonly signal: AbortSignal;
  readonly onResult: (result: TaskResult) => void;
}

/** Where the runs of a sweep take place. Results may come in any order, one for each task. */
export type Executor = (tasks: readonly SweepTask[], context: ExecutorContext) => Promise<void>;
