import type { SettingValue, SweepAxis, SweepPoint, SweepResult } from "../sweep-result.js";
import { sweepResult } from "../sweep-result.js";
import type { SweepIdentity } from "../fingerprint.js";
import type { PlannedPoint, SweepPlan } from "../plan.js";
import { cheapestFleet } from "./cheapest-fleet.js";
import { compareWithGrid, type GridComparison, type KnownGrid } from "./compare-with-grid.js";
import { keyOf, type Evaluator } from "./evaluator.js";
import { knobOf, largestLoads, type LoadKnob } from "./load-search.js";
import { offeredRate } from "./offered-rate.js";
import type { Objective, PointMark } from "./objective.js";
import { sweepPoints, type FoundPoint, type SearchBudget } from "./search-result.js";
import { successiveHalving, type Rung } from "./successive-halving.js";

export type SearchGoal = "best" | "max_rate" | "cheapest";

/** What a search is for. */
export interface SearchRequest {
  readonly goal: SearchGoal;
  readonly objective: Objective;
  /** null only for the goal `best`. */
  readonly attainment: number | null;
  readonly eta: number;
  readonly minRequests: number;
  readonly tolerance: number;
  /** A sweep over the same grid, to hold the result against; null = none. */
  readonly compare: KnownGrid | null;
}

/** A point in a search's result. */
export interface RankedPoint {
  readonly settings: SweepPoint["settings"];
  readonly objective: number | null;
  readonly attainment: number | null;
  readonly score: number | null;
  /** Goal `max_rate`: what the point sustains. */
  readonly load?: {
    readonly knob: LoadKnob;
    readonly sustained: number | null;
    readonly exceeded: number | null;
    readonly requests_per_s: number | null;
    /** Not searched to the end: another point sustains more than this one can. */
    readonly beaten: boolean;
  };
  /** Goal `cheapest`. */
  readonly gpus?: number;
}

/** `optimize.json`. */
export interface OptimizeResult {
  readonly schema: "pdbench/optimize@1";
  readonly name: string;
  readonly versions: { readonly pdbench: string };
  readonly workload_hash: string;
  readonly goal: SearchGoal;
  readonly objective: { readonly metric: string; readonly better: "higher" | "lower" };
  readonly attainment: number | null;
  readonly axes: readonly SweepAxis[];
  readonly seeds: readonly number[];
  readonly scenario: unknown;
  /** null where no point does what was asked for. */
  readonly recommended: RankedPoint | null;
  /** What was compared in the end, the best first. */
  readonly points: readonly RankedPoint[];
  readonly rungs: readonly Rung[];
  readonly budget: SearchBudget | Pick<SearchBudget, "runs" | "requests">;
  readonly grid: GridComparison | null;
}

/** A search's own result, and the runs it rests on in the form of a sweep, for reports. */
export interface OptimizeOutcome {
  readonly result: OptimizeResult;
  readonly sweep: SweepResult;
}

/**
 * Searches a plan's grid instead of running it whole.
 *
 * The same plan, request and version give the same result, on any executor and however often it is interrupted.
 *
 * @throws InputError when no run is possible
 * @throws InterruptedError when the search is interrupted
 */
export async function optimize(
  plan: SweepPlan,
  identity: SweepIdentity,
  evaluator: Evaluator,
  request: SearchRequest,
): Promise<OptimizeOutcome> {
  const search = { best: searchBest, max_rate: searchMaxRate, cheapest: searchCheapest }[request.goal];
  const distinct = { ...plan, points: distinctPoints(plan.points) };
  const { points, found, more, ...rest } = await search(distinct, identity, evaluator, request);
  const { pdbench, workload_hash, axes, seeds, scenario } = identity.fingerprint;
  const { objective, attainment, goal } = request;
  const result: OptimizeResult = {
    schema: "pdbench/optimize@1",
    name: scenario.name,
    versions: { pdbench },
    workload_hash,
    goal,
    objective: { metric: objective.name, better: objective.better },
    attainment,
    axes,
    seeds,
    scenario,
    points,
    rungs: [],
    grid: null,
    budget: { runs: evaluator.runs, requests: evaluator.requests },
    ...rest,
  };
  return { result, sweep: asSweep(identity, found, more) };
}

/** The first of all points that come to the same run, where an axis does not matter to some of them. */
function distinctPoints(points: readonly PlannedPoint[]): readonly PlannedPoint[] {
  const first = new Map<string, PlannedPoint>();
  for (const point of points) {
    const key = keyOf(point.scenario);
    if (!first.has(key)) first.set(key, point);
  }
  return [...first.values()];
}

/** What every goal gives. */
interface Found
  extends
    Pick<OptimizeResult, "recommended" | "points">,
    Partial<Pick<OptimizeResult, "rungs" | "budget" | "grid">> {
  readonly found: readonly FoundPoint[];
  /** Settings that the search has set for a point. */
  readonly more?: (found: FoundPoint) => Readonly<Record<string, SettingValue>>;
}

type Search = (
  plan: SweepPlan,
  identity: SweepIdentity,
  evaluator: Evaluator,
  request: SearchRequest,
) => Promise<Found>;

const searchBest: Search = async (plan, identity, evaluator, request) => {
  const { rungs, finalists, budget } = await successiveHalving(plan, identity, evaluator, request);
  const points = finalists.map(({ point, mark }) => rankedPoint(point.settings, mark));
  const { attainment, objective, compare } = request;
  const [best] = finalists;
  const isFit = attainment === null || (best!.mark.attainment ?? 0) >= attainment;
  const grid = compare === null ? null : compareWithGrid(compare, best!.point.index, objective, attainment);
  return { recommended: isFit ? points[0]! : null, points, found: finalists, rungs, budget, grid };
};

const searchMaxRate: Search = async (plan, identity, evaluator, { objective, attainment, tolerance }) => {
  const knob = knobOf(plan);
  const options = { objective, attainment: attainment!, tolerance };
  const limits = (await largestLoads(plan, evaluator, options)).toSorted(
    (a, b) => (b.sustained ?? 0) - (a.sustained ?? 0) || a.found.point.index - b.found.point.index,
  );
  const points: RankedPoint[] = [];
  for (const { found, sustained, exceeded, isBeaten } of limits) {
    const perS =
      sustained === null ? null : await offeredRate(found.point.scenario, knob, sustained, identity.traces);
    const load = { knob, sustained, exceeded, requests_per_s: perS, beaten: isBeaten };
    points.push({ ...rankedPoint(found.point.settings, found.mark), load });
  }
  const values = new Map(limits.map(({ found, value }) => [found, value]));
  return {
    recommended: points[0]!.load!.sustained === null ? null : points[0]!,
    points,
    found: limits.map(({ found }) => found),
    more: (found) => ({ [knob]: values.get(found)! }),
  };
};

const searchCheapest: Search = async (plan, { profiles }, evaluator, { objective, attainment }) => {
  const options = { objective, attainment: attainment! };
  const { cheapest, tried } = await cheapestFleet(plan, profiles, evaluator, options);
  const priced = tried.map(({ found, gpus }) => ({ ...rankedPoint(found.point.settings, found.mark), gpus }));
  const index = cheapest === null ? -1 : tried.findIndex(({ found }) => found === cheapest.found);
  return {
    recommended: priced[index] ?? null,
    points: priced,
    found: tried.map(({ found }) => found),
  };
};

function rankedPoint(settings: SweepPoint["settings"], { value, attainment, score }: PointMark): RankedPoint {
  return { settings, objective: value, attainment, score };
}

/** The runs that a search ends with, as a sweep over the settings that differ among them. */
function asSweep(identity: SweepIdentity, found: readonly FoundPoint[], more: Found["more"]): SweepResult {
  const points = sweepPoints(found, more);
  const names = [...new Set(points.flatMap(({ settings }) => Object.keys(settings)))];
  const axes = names.map((setting) => ({
    setting,
    values: [...new Set(points.map(({ settings }) => settings[setting] ?? null))],
  }));
  return sweepResult({ ...identity.fingerprint, axes }, points);
}
