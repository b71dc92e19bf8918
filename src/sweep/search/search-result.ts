import type { PlannedPoint } from "../plan.js";
import type { SettingValue, SweepPoint, SweepRun } from "../sweep-result.js";
import type { TrialResult } from "./evaluator.js";
import type { PointMark } from "./objective.js";

/** What a search has cost, and what the whole grid would have cost. */
export interface SearchBudget {
  readonly runs: number;
  /** Simulated requests: the measure of work. */
  readonly requests: number;
  readonly full_grid_requests: number;
}

/** A point of the grid as a search has found it. */
export interface FoundPoint {
  readonly point: PlannedPoint;
  readonly seeds: readonly number[];
  /** One for each seed. */
  readonly results: readonly TrialResult[];
  readonly mark: PointMark;
}

/**
 * Found points as points of a sweep, in grid order, numbered anew.
 *
 * @param more settings that the search itself has set
 */
export function sweepPoints(
  found: readonly FoundPoint[],
  more: (found: FoundPoint) => Readonly<Record<string, SettingValue>> = () => ({}),
): SweepPoint[] {
  return found
    .toSorted((a, b) => a.point.index - b.point.index)
    .map((one, index) => ({ index, settings: { ...one.point.settings, ...more(one) }, runs: runsOf(one) }));
}

function runsOf({ seeds, results }: FoundPoint): SweepRun[] {
  return results.map(({ summary, error }, i) => ({
    seed: seeds[i]!,
    summary,
    error: error?.message ?? null,
    ...(error?.kind === "stopped" && { stopped: true }),
  }));
}
