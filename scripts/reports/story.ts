import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { WorkError } from "../../src/errors.js";
import type { RunResult } from "../../src/measure/records.js";
import type { Summary } from "../../src/measure/summary.js";
import type { RouteDecision } from "../../src/routing/types.js";
import { findScenario, loadScenario } from "../../src/scenario/load.js";
import type { Executor } from "../../src/sweep/executor.js";
import { loadTrace } from "../../src/sweep/load-trace.js";
import { planSweep } from "../../src/sweep/plan.js";
import { runScenario } from "../../src/sweep/run-scenario.js";
import { runSweep } from "../../src/sweep/run-sweep.js";
import type { SettingValue, SweepResult } from "../../src/sweep/sweep-result.js";

/** A reference report, made anew from scenarios that come with pdbench. */
export interface Story {
  /** Name of the report, without `.md`. */
  readonly name: string;
  /** Files of ../shared/data that it needs. */
  readonly needs: readonly string[];
  /** Text of the report; `execute` does the runs of its sweeps. */
  readonly render: (execute: Executor) => Promise<string>;
}

/** Settings by dotted path or short name; they win over the scenario's. */
export type Settings = Readonly<Record<string, SettingValue>>;

/** One run with all of its decisions. */
export interface ObservedRun {
  readonly summary: Summary;
  readonly run: RunResult;
  readonly decisions: readonly RouteDecision[];
  /** Most requests that the router took to be open on each decode worker before any decision. */
  readonly highestDecodeLoads: readonly number[];
}

const SHARED_DATA =
  process.env["PDBENCH_SHARED_DATA"] ?? fileURLToPath(new URL("../../../shared/data", import.meta.url));

/** Path of a file of the shared data. */
export function sharedData(path: string): string {
  return `${SHARED_DATA}/${path}`;
}

/** The files that a story needs and that are not there. */
export function missingOf({ needs }: Story): readonly string[] {
  return needs.filter((path) => !existsSync(sharedData(path)));
}

/** Runs a scenario once and keeps every decision. */
export async function observe(scenario: string, settings: Settings = {}): Promise<ObservedRun> {
  const resolved = loadScenario(
    scenario,
    Object.entries(settings).map(([setting, value]) => ({ setting, value, source: setting })),
  );
  const decisions: RouteDecision[] = [];
  const trace = await loadTrace(resolved);
  const highestDecodeLoads: number[] = [];
  const result = runScenario(resolved, trace, {
    beforeDecision: (request, router, atMs) =>
      router.candidates("decode", request, atMs).forEach(({ open }, place) => {
        highestDecodeLoads[place] = Math.max(open, highestDecodeLoads[place] ?? 0);
      }),
    onDecision: (decision) => decisions.push(decision),
  });
  return { ...result, decisions, highestDecodeLoads };
}

/**
 * Runs the sweep of a scenario.
 *
 * @param settings single values, or lists as on the command line (`0,1024,4096`), which take the place of the
 * scenario's axes
 * @throws WorkError when a run failed: a report has no holes
 */
export async function sweep(
  execute: Executor,
  scenario: string,
  settings: Settings = {},
  seeds: string | null = null,
): Promise<SweepResult> {
  const typed = Object.entries(settings).map(([setting, value]) => ({
    setting,
    text: String(value),
    source: setting,
  }));
  const result = await runSweep(planSweep(findScenario(scenario), typed, seeds), {
    directory: null,
    keepRuns: false,
    execute,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
  for (const { runs, settings } of result.points) {
    const failed = runs.find(({ error }) => error !== null);
    if (failed !== undefined) throw new WorkError(`${JSON.stringify(settings)}: ${failed.error!}`);
  }
  return result;
}
