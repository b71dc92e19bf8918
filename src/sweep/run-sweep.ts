import { existsSync } from "node:fs";
import { join } from "node:path";
import { InputError, InterruptedError, WorkError } from "../errors.js";
import type { Summary } from "../measure/summary.js";
import type { Scenario } from "../scenario/schema.js";
import type { RawTrace } from "../workload/raw-trace.js";
import type { Executor, SweepTask, TaskResult } from "./executor.js";
import { fingerprintOf, type SweepFingerprint } from "./fingerprint.js";
import { loadTrace, traceKey } from "./load-trace.js";
import type { PlannedPoint, SweepPlan } from "./plan.js";
import { SweepLog } from "./sweep-log.js";
import type { SweepPoint, SweepResult, SweepRun } from "./sweep-result.js";

export interface SweepOptions {
  /** Where results are kept as they come; null = nowhere. */
  readonly directory: string | null;
  /** Also write every run's own directory, below `runs/`. */
  readonly keepRuns: boolean;
  readonly execute: Executor;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: SweepProgress) => void;
}

export interface SweepProgress {
  /** Runs, earlier ones included. */
  readonly done: number;
  readonly failed: number;
  readonly total: number;
  /** Runs that an earlier call had done. */
  readonly earlier: number;
}

/** One run: a point under a seed. Cells of equal settings (an axis that does not matter there) share one. */
interface Run {
  readonly point: PlannedPoint;
  readonly seed: number;
  readonly scenario: Scenario;
  readonly directory: string | null;
}

/**
 * Runs every point of a plan under every seed.
 *
 * The result does not depend on the executor nor on interruptions. A run that fails is part of the
 * result and does not stop the others.
 *
 * @throws InputError when the workload cannot be read, the directory holds something else, or no run is possible
 * @throws InterruptedError when `signal` ends it; what was finished is in the directory
 * @throws WorkError when every run failed
 */
export async function runSweep(plan: SweepPlan, options: SweepOptions): Promise<SweepResult> {
  const fingerprint = await fingerprintOf(plan);
  const log = options.directory === null ? null : new SweepLog(options.directory, fingerprint);
  const runs = runsOf(plan, options);
  const results = new Map<Run, TaskResult>();
  const earlier = takeEarlier(runs, log, results);
  const groups = groupEqual(runs.filter((run) => !results.has(run)));
  const tasks = groups.map((group, id): SweepTask => ({
    id,
    scenario: group[0]!.scenario,
    directory: group[0]!.directory,
  }));
  const traces = await sharedTraces(tasks);
  let failed = 0;
  const progress = (): void => {
    options.onProgress({ done: results.size, failed, total: runs.length, earlier });
  };
  progress();
  try {
    await options.execute(tasks, {
      traces,
      signal: options.signal,
      onResult: (result) => {
        for (const run of groups[result.id]!) {
          results.set(run, result);
          if (result.summary === null) failed++;
          else log?.append({ point: run.point.index, seed: run.seed, summary: result.summary });
        }
        progress();
      },
    });
  } finally {
    log?.close();
  }
  if (options.signal.aborted) throw interrupted(results.size, runs.length, options.directory);
  failIfAllFailed([...results.values()]);
  return resultOf(plan, fingerprint, runs, results);
}

function resultOf(
  plan: SweepPlan,
  { pdbench, workload_hash, axes, seeds, scenario }: SweepFingerprint,
  runs: readonly Run[],
  results: ReadonlyMap<Run, TaskResult>,
): SweepResult {
  return {
    schema: "pdbench/sweep@1",
    name: plan.base.name,
    versions: { pdbench },
    workload_hash,
    axes,
    seeds,
    scenario,
    points: pointsOf(plan, runs, results),
    notes: notesOf([...results.values()].flatMap(({ summary }) => summary ?? [])),
  };
}

/** Seed by seed, so that a thread's next run most likely has the same requests. */
function runsOf({ points, seeds }: SweepPlan, { directory, keepRuns }: SweepOptions): Run[] {
  return seeds.flatMap((seed) =>
    points.map((point) => ({
      point,
      seed,
      scenario: { ...point.scenario, seed },
      directory: keepRuns && directory !== null ? join(directory, "runs", runName(point.index, seed)) : null,
    })),
  );
}

/** The folder of a run below `runs/`. */
function runName(point: number, seed: number): string {
  return `point-${String(point).padStart(4, "0")}-seed-${seed}`;
}

function takeEarlier(runs: readonly Run[], log: SweepLog | null, results: Map<Run, TaskResult>): number {
  const logged = new Map((log?.earlier ?? []).map((run) => [`${run.point}/${run.seed}`, run.summary]));
  for (const run of runs) {
    const summary = logged.get(`${run.point.index}/${run.seed}`);
    const isKept = run.directory === null || existsSync(join(run.directory, "summary.json"));
    if (summary !== undefined && isKept) results.set(run, { id: -1, summary, error: null });
  }
  return results.size;
}

function groupEqual(runs: readonly Run[]): Run[][] {
  const groups = new Map<string, Run[]>();
  for (const run of runs) {
    // A run with a directory of its own has to write it.
    const key = JSON.stringify([run.scenario, run.directory]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [run]);
    else group.push(run);
  }
  return [...groups.values()];
}

/** Reads every trace file once, into memory that the threads share. */
async function sharedTraces(tasks: readonly SweepTask[]): Promise<[string, RawTrace][]> {
  const traces = new Map<string, RawTrace>();
  for (const { scenario } of tasks) {
    const key = traceKey(scenario);
    if (scenario.workload.generate !== null || traces.has(key)) continue;
    traces.set(key, await loadTrace(scenario, true));
  }
  return [...traces];
}

function interrupted(done: number, total: number, directory: string | null): InterruptedError {
  const saved =
    directory === null
      ? "nothing is saved without --out"
      : `they are in ${directory}, the same command goes on`;
  return new InterruptedError(`interrupted: ${done} of ${total} runs are done; ${saved}`);
}

function failIfAllFailed(results: readonly TaskResult[]): void {
  const first = results[0]?.error;
  if (first == null || results.some(({ error }) => error === null)) return;
  if (results.every(({ error }) => error!.isInput)) throw new InputError(first.message);
  throw new WorkError(`every run failed: ${first.message}`);
}

function pointsOf(
  { points }: SweepPlan,
  runs: readonly Run[],
  results: ReadonlyMap<Run, TaskResult>,
): SweepPoint[] {
  const runsOfPoint = points.map((): SweepRun[] => []);
  for (const run of runs) runsOfPoint[run.point.index]!.push(sweepRun(run, results.get(run)!));
  return points.map(({ index, settings }) => ({ index, settings, runs: runsOfPoint[index]! }));
}

function sweepRun({ seed }: Run, { summary, error }: TaskResult): SweepRun {
  return { seed, summary, error: error?.message ?? null };
}

/** What holds for every run is said once for the sweep. */
function notesOf(summaries: readonly Summary[]): readonly string[] {
  const [first, ...others] = summaries;
  if (first === undefined) return [];
  return first.notes.filter((note) => others.every(({ notes }) => notes.includes(note)));
}
