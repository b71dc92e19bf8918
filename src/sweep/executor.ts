import { InputError, WorkError } from "../errors.js";
import type { ProfileTexts } from "../scenario/profiles.js";
import type { Scenario } from "../scenario/schema.js";
import type { RawTrace } from "../workload/raw-trace.js";

/** One run of a sweep. */
export interface SweepTask {
  readonly id: number;
  /** With the seed of the run. */
  readonly scenario: Scenario;
  /** Which of the context's traces holds its requests; null = they are generated where they are needed. */
  readonly trace: string | null;
  /** Where to write the run directory; null = nowhere. */
  readonly directory: string | null;
  /** The run ends as soon as its attainment can no longer reach this share; null = it goes to its end. */
  readonly stopBelow: number | null;
}

export interface TaskResult {
  readonly id: number;
  /** JSON of the run's `Summary` without what depends on the machine; null where there is none. */
  readonly summary: string | null;
  readonly error: TaskError | null;
}

/** Why a run has no summary. */
export interface TaskError {
  readonly message: string;
  /** `input`: because of what the user gave; `stopped`: it fell below `stopBelow`; `work`: anything else. */
  readonly kind: "input" | "work" | "stopped";
}

export interface ExecutorContext {
  /** Hash of all that the results depend on: equal for the same sweep, whenever and wherever it is run. */
  readonly study: string;
  /** Traces in shared memory, by the name that tasks give. */
  readonly traces: ReadonlyMap<string, RawTrace>;
  /** Texts of the profile files in use, by their paths. */
  readonly profiles: ProfileTexts;
  /** Ends the work at once; tasks that have not ended are left out. */
  readonly signal: AbortSignal;
  readonly onResult: (result: TaskResult) => void;
  /** Told how many machines or processes take part, where that is not fixed. */
  readonly onWorkers?: (count: number) => void;
}

/** Where the runs of a sweep take place. Results may come in any order, one for each task. */
export type Executor = (tasks: readonly SweepTask[], context: ExecutorContext) => Promise<void>;

/**
 * Fails where no run has a result; those that were stopped on request have one.
 *
 * @throws InputError when every run failed because of what the user gave
 * @throws WorkError when every run failed
 */
export function failIfAllFailed(results: readonly Pick<TaskResult, "error">[]): void {
  const errors = results.flatMap(({ error }) => error ?? []);
  const [first] = errors;
  if (first === undefined || errors.length < results.length) return;
  if (errors.some(({ kind }) => kind === "stopped")) return;
  if (errors.every(({ kind }) => kind === "input")) throw new InputError(first.message);
  throw new WorkError(`every run failed: ${first.message}`);
}
