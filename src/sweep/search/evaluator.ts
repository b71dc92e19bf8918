import { createHash } from "node:crypto";
import { join } from "node:path";
import { InputError, InterruptedError } from "../../errors.js";
import type { Summary } from "../../measure/summary.js";
import type { Scenario } from "../../scenario/schema.js";
import { AppendLog } from "../append-log.js";
import { failIfAllFailed, type Executor, type SweepTask, type TaskError } from "../executor.js";
import {
  differences,
  show,
  studyOf,
  traceName,
  type SweepFingerprint,
  type SweepIdentity,
} from "../fingerprint.js";
import { longestFirst } from "../task-cost.js";

/** What became of one run that a search wanted. */
export interface TrialResult {
  readonly summary: Summary | null;
  readonly error: TaskError | null;
}

export interface SearchProgress {
  /** What the search is doing, e.g. `rung 2 of 4`. */
  readonly stage: string;
  readonly done: number;
  readonly total: number;
}

export interface EvaluatorOptions {
  readonly directory: string | null;
  /** What the search asks for beside the plan; part of what a directory belongs to. */
  readonly search: Readonly<Record<string, unknown>>;
  readonly stopBelow: number | null;
  readonly execute: Executor;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: SearchProgress) => void;
}

interface LoggedTrial extends TrialResult {
  readonly key: string;
}

interface LogHeader {
  readonly schema: "pdbench/search-log@1";
  readonly fingerprint: SweepFingerprint;
  readonly search: Readonly<Record<string, unknown>>;
}

export const SEARCH_LOG = "trials.jsonl";

/**
 * Runs what a search asks for, each run once: results of earlier calls are in the directory's `trials.jsonl`. As
 * a search asks for the same runs whenever it gets the same results, an interrupted one goes on where it was.
 */
export class Evaluator {
  /** Runs of this search, earlier calls included. */
  runs = 0;
  /** Requests of these runs, all of them also where a run was stopped early. */
  requests = 0;
  private readonly identity: SweepIdentity;
  private readonly options: EvaluatorOptions;
  private readonly log: AppendLog | null;
  private readonly known = new Map<string, TrialResult>();
  private readonly counted = new Set<string>();

  /** @throws InputError when the directory holds another search */
  constructor(identity: SweepIdentity, options: EvaluatorOptions) {
    this.identity = identity;
    this.options = options;
    const { directory, search } = options;
    const header: LogHeader = { schema: "pdbench/search-log@1", fingerprint: identity.fingerprint, search };
    this.log =
      directory === null
        ? null
        : new AppendLog(join(directory, SEARCH_LOG), JSON.stringify(header), (text) =>
            checkHeader(directory, JSON.parse(text) as LogHeader, header),
          );
    for (const line of this.log?.earlier ?? []) {
      const { key, summary, error } = JSON.parse(line) as LoggedTrial;
      this.known.set(key, { summary, error });
    }
  }

  /**
   * Results of runs, in their order. Equal scenarios share one.
   *
   * @param scenarios each with its seed
   * @throws InterruptedError when the search is interrupted
   */
  async evaluate(stage: string, scenarios: readonly Scenario[]): Promise<TrialResult[]> {
    const keys = scenarios.map(keyOf);
    const wanted = new Map(keys.map((key, i) => [key, scenarios[i]!]));
    const open = [...wanted].filter(([key]) => !this.known.has(key));
    const tasks = open.map(([, scenario], id): SweepTask => {
      const { stopBelow } = this.options;
      return { id, scenario, trace: traceName(scenario), directory: null, stopBelow };
    });
    const { signal, execute, onProgress } = this.options;
    const { fingerprint, profiles, traces } = this.identity;
    let done = wanted.size - open.length;
    const progress = (): void => onProgress({ stage, done, total: wanted.size });
    progress();
    await execute(longestFirst(tasks, traces), {
      study: studyOf(fingerprint),
      traces,
      profiles,
      signal,
      onResult: ({ id, summary, error }) => {
        const [key] = open[id]!;
        this.known.set(key, { summary: summary === null ? null : (JSON.parse(summary) as Summary), error });
        this.log?.append(`{"key":"${key}","summary":${summary ?? "null"},"error":${JSON.stringify(error)}}`);
        done++;
        progress();
      },
    });
    if (signal.aborted) throw this.interrupted();
    this.count(wanted);
    const results = keys.map((key) => this.known.get(key)!);
    failIfAllFailed(results);
    return results;
  }

  close(): void {
    this.log?.close();
  }

  private count(wanted: ReadonlyMap<string, Scenario>): void {
    for (const [key, scenario] of wanted) {
      if (this.counted.has(key)) continue;
      this.counted.add(key);
      this.runs++;
      this.requests += requestsOf(scenario, this.identity);
    }
  }

  private interrupted(): InterruptedError {
    const { directory } = this.options;
    const saved =
      directory === null
        ? "nothing is saved without --out"
        : `they are in ${directory}, the same command goes on`;
    return new InterruptedError(`interrupted: ${this.known.size} runs are done; ${saved}`);
  }
}

/** Requests that a scenario sends. */
export function requestsOf(scenario: Scenario, { traces }: SweepIdentity): number {
  const name = traceName(scenario);
  const inTrace = name === null ? Infinity : (traces.get(name)?.count ?? Infinity);
  return Math.min(inTrace, scenario.workload.requests ?? Infinity);
}

/** Equal for runs with equal results. */
export function keyOf(scenario: Scenario): string {
  return createHash("sha256").update(JSON.stringify(scenario)).digest("hex").slice(0, 32);
}

function checkHeader(directory: string, there: LogHeader, here: LogHeader): void {
  const normal = JSON.parse(JSON.stringify(here)) as LogHeader;
  const found = differences(there.fingerprint, normal.fingerprint);
  for (const name of new Set([...Object.keys(there.search), ...Object.keys(normal.search)])) {
    const [before, now] = [show(there.search[name]), show(normal.search[name])];
    if (before !== now) found.push(`${name} is ${before} there and ${now} here`);
  }
  if (found.length === 0) return;
  throw new InputError(
    `--out ${directory}: holds another search: ${found.slice(0, 3).join("; ")}; expected a new folder`,
  );
}
