import { existsSync } from "node:fs";
import { join } from "node:path";
import { InterruptedError } from "../errors.js";
import type { Summary } from "../measure/summary.js";
import type { Scenario } from "../scenario/schema.js";
import { failIfAllFailed, type Executor, type SweepTask, type TaskResult } from "./executor.js";
import { identify, studyOf, traceName, type SweepFingerprint, type SweepIdentity } from "./fingerprint.js";
import type { PlannedPoint, SweepPlan } from "./plan.js";
import { shardOf, type Shard, type SweepShard } from "./shards.js";
import { SweepLog } from "./sweep-log.js";
import { sweepResult, type SweepPoint, type SweepResult, type SweepRun } from "./sweep-result.js";
import { longestFirst } from "./task-cost.js";

export interface SweepOptions {
  /** Where results are kept as they come; null = nowhere. */
  readonly directory: string | null;
  /** Also write every run's own directory, below `runs/`. */
  readonly keepRuns: boolean;
  /** Runs end as soon as their attainment can no longer reach this share; absent = none does. */
  readonly stopBelow?: number | null;
  /** `identify` of the plan, where it is known already. */
  readonly identity?: SweepIdentity;
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
  /** Processes that take part, where the executor can tell. */
  readonly workers?: number;
}

/** Seconds that the remaining runs take at the pace of this call; null before the first of them has ended. */
export function secondsLeft({ done, earlier, total }: SweepProgress, elapsedS: number): number | null {
  return done === earlier ? null : (elapsedS / (done - earlier)) * (total - done);
}

/** One run: a point under a seed. Cells of equal settings (an axis that does not matter there) share one. */
interface Run {
  readonly point: PlannedPoint;
  readonly seed: number;
  readonly scenario: Scenario;
  readonly directory: string | null;
}

/** What became of the runs. */
interface Outcome {
  readonly fingerprint: SweepFingerprint;
  readonly points: readonly SweepPoint[];
  readonly results: readonly TaskResult[];
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
  const { fingerprint, points, results } = await runAll(plan, options);
  failIfAllFailed(results);
  return sweepResult(fingerprint, points);
}

/**
 * Runs the share of a plan's points that falls to one of several machines, under every seed.
 *
 * @throws as `runSweep`, but not where every run of the share failed: other shares may hold better points
 */
export async function runShard(plan: SweepPlan, shard: Shard, options: SweepOptions): Promise<SweepShard> {
  const own = plan.points.filter(({ index }) => shardOf(index, shard.count) === shard.index);
  const { fingerprint, points } = await runAll(plan, options, own);
  return { schema: "pdbench/sweep-shard@1", shard, fingerprint, points };
}

async function runAll(plan: SweepPlan, options: SweepOptions, own = plan.points): Promise<Outcome> {
  const { stopBelow = null, signal } = options;
  const { fingerprint, profiles, traces } = options.identity ?? (await identify(plan, stopBelow));
  const log = options.directory === null ? null : new SweepLog(options.directory, fingerprint);
  const runs = runsOf(own, plan.seeds, options);
  const results = new Map<Run, TaskResult>();
  const earlier = takeEarlier(runs, log, results);
  const groups = groupEqual(runs.filter((run) => !results.has(run)));
  const tasks = groups.map(([run], id): SweepTask => {
    const { scenario, directory } = run!;
    return { id, scenario, trace: traceName(scenario), directory, stopBelow };
  });
  let failed = 0;
  let workers: number | undefined;
  const progress = (): void => {
    const counts = { done: results.size, failed, total: runs.length, earlier };
    options.onProgress(workers === undefined ? counts : { ...counts, workers });
  };
  progress();
  try {
    await options.execute(longestFirst(tasks, traces), {
      study: studyOf(fingerprint),
      traces,
      profiles,
      signal,
      onResult: (result) => {
        for (const run of groups[result.id]!) {
          results.set(run, result);
          log?.append(run.point.index, run.seed, result);
          if (result.summary === null && result.error?.kind !== "stopped") failed++;
        }
        progress();
      },
      onWorkers: (count) => {
        workers = count;
        progress();
      },
    });
  } finally {
    log?.close();
  }
  if (signal.aborted) throw interrupted(results.size, runs.length, options.directory);
  return {
    fingerprint,
    points: pointsOf(own, runs, results),
    results: runs.map((run) => results.get(run)!),
  };
}

/** Seed by seed, so that a thread's next run most likely has the same requests. */
function runsOf(
  points: readonly PlannedPoint[],
  seeds: readonly number[],
  { directory, keepRuns }: SweepOptions,
): Run[] {
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
  for (const run of runs) {
    const result = log?.earlier(run.point.index, run.seed) ?? null;
    const isKept = run.directory === null || existsSync(join(run.directory, "summary.json"));
    if (result !== null && (isKept || result.summary === null)) results.set(run, { id: -1, ...result });
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

function interrupted(done: number, total: number, directory: string | null): InterruptedError {
  const saved =
    directory === null
      ? "nothing is saved without --out"
      : `they are in ${directory}, the same command goes on`;
  return new InterruptedError(`interrupted: ${done} of ${total} runs are done; ${saved}`);
}

function pointsOf(
  points: readonly PlannedPoint[],
  runs: readonly Run[],
  results: ReadonlyMap<Run, TaskResult>,
): SweepPoint[] {
  const runsOfPoint = new Map(points.map(({ index }) => [index, [] as SweepRun[]]));
  for (const run of runs) runsOfPoint.get(run.point.index)!.push(sweepRun(run, results.get(run)!));
  return points.map(({ index, settings }) => ({ index, settings, runs: runsOfPoint.get(index)! }));
}

function sweepRun({ seed }: Run, { summary, error }: TaskResult): SweepRun {
  return {
    seed,
    summary: summary === null ? null : (JSON.parse(summary) as Summary),
    error: error?.message ?? null,
    ...(error?.kind === "stopped" && { stopped: true }),
  };
}
