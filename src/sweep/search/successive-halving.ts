import type { Scenario } from "../../scenario/schema.js";
import type { SweepIdentity } from "../fingerprint.js";
import type { PlannedPoint, SweepPlan } from "../plan.js";
import { keyOf, requestsOf, type Evaluator } from "./evaluator.js";
import { compareMarks, markOf, type Objective, type PointMark } from "./objective.js";
import type { FoundPoint, SearchBudget } from "./search-result.js";

export interface HalvingOptions {
  readonly objective: Objective;
  /** Points must reach this SLO attainment under every seed; null = none asked for. */
  readonly attainment: number | null;
  /** Each rung keeps one of so many points, and gives it so many times the requests. */
  readonly eta: number;
  /** The first rung has at least this many requests. */
  readonly minRequests: number;
}

/** One round of a search: points that were tried on the same prefix of the trace under the same seeds. */
export interface Rung {
  /** Requests of each run. */
  readonly requests: number;
  readonly seeds: readonly number[];
  readonly points: number;
  readonly kept: number;
}

export interface HalvingResult {
  readonly rungs: readonly Rung[];
  /** Points of the last rung, on the whole trace under every seed, the best first. */
  readonly finalists: readonly FoundPoint[];
  readonly budget: SearchBudget;
}

/** Points that are compared under all seeds at the end, where there are as many. */
const FINALISTS = 4;

/**
 * Successive halving (Jamieson and Talwalkar 2016): every point is tried on a short prefix of the trace, the best
 * share of them on a longer one, and so on; the last few on the whole trace, first under one seed, then under all.
 *
 * A prefix starts with cold caches and empty queues, so it favours what warms up fast; `minRequests` bounds how
 * short it can be.
 */
export async function successiveHalving(
  { points, seeds }: SweepPlan,
  identity: SweepIdentity,
  evaluator: Evaluator,
  options: HalvingOptions,
): Promise<HalvingResult> {
  const whole = Math.max(...points.map(({ scenario }) => requestsOf(scenario, identity)));
  const steps = rungsFor(points.length, whole, options);
  const rungs: Rung[] = [];
  let alive: readonly PlannedPoint[] = points;
  for (const [number, { requests, keep }] of steps.entries()) {
    const stage = `rung ${number + 1} of ${steps.length + 1}`;
    const ranked = await rank(alive, seeds.slice(0, 1), requests, stage, evaluator, options);
    rungs.push({ requests, seeds: seeds.slice(0, 1), points: alive.length, kept: keep });
    alive = ranked.slice(0, keep).map(({ point }) => point);
  }
  const last = `rung ${steps.length + 1} of ${steps.length + 1}`;
  const finalists = await rank(alive, seeds, whole, last, evaluator, options);
  rungs.push({ requests: whole, seeds, points: alive.length, kept: 1 });
  return {
    rungs,
    finalists,
    budget: {
      runs: evaluator.runs,
      requests: evaluator.requests,
      full_grid_requests: gridRequests(points, seeds, identity),
    },
  };
}

/** The rungs before the last one: on how many requests, and how many points go on. */
function rungsFor(
  points: number,
  whole: number,
  { eta, minRequests }: HalvingOptions,
): { readonly requests: number; readonly keep: number }[] {
  const toFew = Math.ceil(Math.log(points / FINALISTS) / Math.log(eta));
  const shortest = Math.floor(Math.log(whole / minRequests) / Math.log(eta));
  const count = Math.max(0, Math.min(toFew, shortest + 1));
  return Array.from({ length: count }, (_, i) => ({
    requests: Math.ceil(whole / eta ** (count - 1 - i)),
    // Where the trace is too short for as many rungs as the points would need, the last one cuts deeper.
    keep: i === count - 1 ? FINALISTS : Math.max(FINALISTS, Math.ceil(points / eta ** (i + 1))),
  }));
}

async function rank(
  points: readonly PlannedPoint[],
  seeds: readonly number[],
  requests: number,
  stage: string,
  evaluator: Evaluator,
  { objective, attainment }: HalvingOptions,
): Promise<FoundPoint[]> {
  const runs = points.flatMap((point) => seeds.map((seed) => prefixOf(point.scenario, seed, requests)));
  const results = await evaluator.evaluate(stage, runs);
  const found = points.map((point, i): FoundPoint & { readonly mark: PointMark } => {
    const own = results.slice(i * seeds.length, (i + 1) * seeds.length);
    const mark = markOf(
      own.map(({ summary }) => summary),
      objective,
    );
    return { point, seeds, results: own, mark };
  });
  const compare = compareMarks(objective, attainment);
  return found.toSorted((a, b) => compare(a.mark, b.mark) || a.point.index - b.point.index);
}

/** The first requests of a scenario; what has no more than that stays as it is. */
function prefixOf(scenario: Scenario, seed: number, requests: number): Scenario {
  const own = scenario.workload.requests;
  if (own !== null && own <= requests) return { ...scenario, seed };
  return { ...scenario, seed, workload: { ...scenario.workload, requests } };
}

/** What the whole grid under every seed would have cost. */
function gridRequests(
  points: readonly PlannedPoint[],
  seeds: readonly number[],
  identity: SweepIdentity,
): number {
  const runs = new Map<string, number>();
  for (const { scenario } of points) {
    for (const seed of seeds) {
      const run = { ...scenario, seed };
      runs.set(keyOf(run), requestsOf(run, identity));
    }
  }
  return [...runs.values()].reduce((sum, requests) => sum + requests, 0);
}
