import { formatCount, formatDuration } from "../report/format.js";
import type { Scenario } from "../scenario/schema.js";
import type { ScenarioSource } from "../scenario/scenario-source.js";
import { loadTrace } from "../sweep/load-trace.js";
import { planSweep, type SweepPlan, type TypedSetting } from "../sweep/plan.js";
import { setupOf, workloadOf } from "../sweep/run-scenario.js";
import type { Workload } from "../workload/workload.js";
import { hanging } from "./wrapped-text.js";

/** What a scenario is found to be without running it. */
export interface CheckedScenario {
  readonly name: string;
  readonly requests: number;
  /** Arrival of the last request; null where answers decide when requests are sent. */
  readonly lastArrivalS: number | null;
  readonly prefillWorkers: number;
  readonly decodeWorkers: number;
  /** Of its `sweep` block; null where it has none. */
  readonly sweep: { readonly points: number; readonly seeds: number } | null;
}

/**
 * Everything that `simulate` does before the first request is routed: settings, profiles, trace and whether the
 * fleet can serve each request; and the grid of the `sweep` block, where there is one.
 *
 * @throws InputError for the first thing that is wrong
 */
export async function checkScenario(
  scenario: Scenario,
  source: ScenarioSource,
  typed: readonly TypedSetting[],
): Promise<CheckedScenario> {
  const trace = await loadTrace(scenario);
  const workload = workloadOf(scenario, trace);
  setupOf(scenario, trace, { workload });
  const plan = source.tree["sweep"] === undefined ? null : planSweep(source, typed, null);
  return {
    name: scenario.name,
    requests: workload.count,
    lastArrivalS: lastArrivalS(workload),
    prefillWorkers: scenario.fleet.prefill.workers,
    decodeWorkers: scenario.fleet.decode.workers,
    sweep: plan === null ? null : sizeOf(plan),
  };
}

function lastArrivalS({ arrivalMs, concurrency }: Workload): number | null {
  const lastMs = arrivalMs.reduce((last, ms) => Math.max(last, ms), 0);
  return concurrency > 0 || Number.isNaN(lastMs) ? null : lastMs / 1000;
}

function sizeOf({ points, seeds }: SweepPlan): CheckedScenario["sweep"] {
  return { points: points.length, seeds: seeds.length };
}

/** The same in words, for a terminal. */
export function checkedText(checked: CheckedScenario): string {
  const { name, requests, lastArrivalS, prefillWorkers, decodeWorkers, sweep } = checked;
  const sent = lastArrivalS === null ? "" : `, the last after ${formatDuration(lastArrivalS)}`;
  const lines = [
    hanging(`${name}: `, "can be run; nothing was run"),
    hanging("  requests  ", `${formatCount(requests)}${sent}`),
    hanging(
      "  fleet     ",
      `${prefillWorkers} prefill and ${decodeWorkers} decode workers, with room for each request`,
    ),
  ];
  if (sweep !== null) {
    const { points, seeds } = sweep;
    const runs = formatCount(points * seeds);
    lines.push(hanging("  sweep     ", `${formatCount(points)} points x ${seeds} seeds = ${runs} runs`));
  }
  return lines.join("");
}

/** The same as JSON: `{"scenario", "requests", "last_arrival_s", "workers": {...}, "sweep": null | {"points", "seeds"}}`. */
export function checkedJson(checked: CheckedScenario): string {
  const { name, requests, lastArrivalS, prefillWorkers, decodeWorkers, sweep } = checked;
  const workers = { prefill: prefillWorkers, decode: decodeWorkers };
  const document = { scenario: name, requests, last_arrival_s: lastArrivalS, workers, sweep };
  return `${JSON.stringify(document, null, 2)}\n`;
}
