import { InputError } from "../errors.js";
import type { SettingValue, SweepAxis, SweepPoint, SweepResult } from "../sweep/sweep-result.js";
import { didYouMean } from "../values/nearest-name.js";
import { conditionWords, groupsByCondition, isCondition } from "./conditions.js";
import type { Metric } from "./metrics.js";
import { metricNamed } from "./metrics.js";
import type { Change } from "./point-statistics.js";
import {
  changeOf,
  isDetectableChange,
  failuresOf,
  statisticsOf,
  stoppedOf,
  summariesOf,
} from "./point-statistics.js";
import { recommendationWords } from "./recommendation-words.js";
import { alwaysDisaggregates, pointName } from "./setting-words.js";

/** Points whose objective differs by less than this share are ranked by score: the difference does not matter. */
export const TIE_SHARE = 0.005;

/** What to compare by; see `pdbench report --help`. */
export interface RecommendOptions {
  /** Name of a metric; default goodput. */
  readonly objective?: string;
  /** Name or index of the point to compare with; default always-disaggregate, else the first point. */
  readonly baseline?: string;
}

/** What a search says of the sweep it ended with. */
export interface FoundBySearch {
  /** The point that it found: recommended as it stands, and for its condition alone. */
  readonly point: SweepPoint;
  /** All that it tried, of which the sweep has the rest. */
  readonly axes: readonly SweepAxis[];
}

/** How sure the gain over the baseline is. */
export type Verdict = "better" | "no_detectable_difference" | "one_seed" | "baseline_is_best";

/** Another objective under which another point would win. */
export interface Flip {
  readonly metric: Metric;
  readonly point: SweepPoint;
  /** Means of the metric there and at the recommended point. */
  readonly there: number;
  readonly here: number;
}

/** A setting that is recommended at the end of its range. */
export interface Edge {
  readonly setting: string;
  readonly value: number;
  readonly end: "smallest" | "largest";
}

/** A point that ran into errors. */
export interface Failure {
  readonly point: SweepPoint;
  readonly failedRuns: number;
  readonly error: string;
}

/** What a sweep says to do, and why. */
export interface Recommendation {
  readonly objective: Metric;
  readonly point: SweepPoint;
  readonly settings: Readonly<Record<string, SettingValue>>;
  readonly baseline: SweepPoint;
  readonly verdict: Verdict;
  /** True where the best points were level in the objective (TIE_SHARE) and the score chose among them. */
  readonly decidedByScore: boolean;
  /** What `verdict`, `gain` and `alike` are about: the score where it decided and the objective shows no gain. */
  readonly judgedBy: Metric;
  /** Change of `judgedBy` over the baseline; null where they share no seed with a value. */
  readonly gain: Change | null;
  /** What gets better and worse than at the baseline beside the objective, where a difference is detectable. */
  readonly benefits: readonly Change[];
  readonly costs: readonly Change[];
  /** Points that do not differ detectably from the recommended one. */
  readonly alike: readonly SweepPoint[];
  readonly flips: readonly Flip[];
  /** Numeric settings whose best value is the first or last one swept: the best may lie beyond. */
  readonly edges: readonly Edge[];
  /** The same under the other conditions (load, trace, hardware, objectives) of the sweep, in grid order. */
  readonly elsewhere: readonly Recommendation[];
  readonly failures: readonly Failure[];
  /** Points of which a run was stopped early, since it could not reach the attainment asked for. */
  readonly stopped: readonly SweepPoint[];
  /** The recommendation in words: the verdict first, then a sentence each for what to know about it. */
  readonly words: readonly string[];
}

const SIDE_METRICS = [
  "goodput.requests_per_s",
  "ttft_ms.p90",
  "ttft_ms.p99",
  "itl_ms.p90",
  "itl_ms.p99",
  "e2e_ms.p90",
  "cache.hit_rate",
  "balance.prefill.busy.max_over_mean",
  "balance.decode.busy.max_over_mean",
].map(metricNamed);

const FLIP_METRICS = ["ttft_ms.p90", "itl_ms.p90", "e2e_ms.p90", "cache.hit_rate"].map(metricNamed);
const SCORE = metricNamed("score");

/**
 * The point of a sweep to use: the best mean of the objective over the seeds, ties (TIE_SHARE) by score, then
 * by grid order. Points with a failed run are passed over unless every point has one.
 *
 * Only points under one condition (load, trace, hardware, objectives) are compared; where a sweep varies those
 * too, the last condition is recommended for, or that of the baseline asked for, and the others stand in
 * `elsewhere`.
 *
 * @param search where the sweep is what a search ended with, and its answer is wanted
 * @returns null when no point has a result
 * @throws InputError for an unknown objective or baseline
 */
export function recommend(
  sweep: SweepResult,
  options: RecommendOptions = {},
  search: FoundBySearch | null = null,
): Recommendation | null {
  const objective = metricNamed(options.objective ?? "goodput");
  const baseline = options.baseline === undefined ? null : pointNamed(sweep, options.baseline);
  const groups = groupsByCondition(sweep).filter(
    (points) => search === null || points.includes(search.point),
  );
  const found = groups.flatMap((points) => {
    const own = baseline !== null && points.includes(baseline) ? baseline : null;
    return recommendAmong(sweep, points, objective, own, search) ?? [];
  });
  const main = baseline === null ? found.at(-1) : found.find((one) => one.baseline === baseline);
  if (found.length === 0) return null;
  if (main === undefined) {
    const name = JSON.stringify(options.baseline);
    throw new InputError(
      `--baseline ${name}: no point under its condition has a result, expected another point`,
    );
  }
  const elsewhere = found
    .filter((one) => one !== main)
    .map((one) => ({ ...one, elsewhere: [], words: recommendationWords({ ...one, elsewhere: [] }) }));
  return { ...main, elsewhere, words: recommendationWords({ ...main, elsewhere }) };
}

/** The recommendation under the condition that `point` ran under. */
export function recommendationFor(point: SweepPoint, found: Recommendation): Recommendation {
  const condition = conditionWords(point.settings);
  const same = (one: Recommendation) => conditionWords(one.settings) === condition;
  return same(found) ? found : (found.elsewhere.find(same) ?? found);
}

function recommendAmong(
  sweep: SweepResult,
  points: readonly SweepPoint[],
  objective: Metric,
  chosenBaseline: SweepPoint | null,
  search: FoundBySearch | null,
): Omit<Recommendation, "words" | "elsewhere"> | null {
  const withResult = points.filter((point) => meanOf(point, objective) !== null);
  const whole = withResult.filter((point) => point.runs.every(({ summary }) => summary !== null));
  const candidates = whole.length > 0 ? whole : withResult;
  if (candidates.length === 0) return null;

  const { point, decidedByScore } =
    search === null || !candidates.includes(search.point)
      ? bestOf(candidates, objective)
      : { point: search.point, decidedByScore: false };
  const baseline = chosenBaseline ?? defaultBaseline(candidates, point);
  const objectiveGain = changeOf(point, baseline, objective);
  const judgedBy = decidedByScore && isLevelWith(objectiveGain) ? SCORE : objective;
  const gain = judgedBy === objective ? objectiveGain : changeOf(point, baseline, judgedBy);
  const changes = SIDE_METRICS.filter((metric) => metric !== judgedBy).flatMap(
    (metric) => changeOf(point, baseline, metric) ?? [],
  );
  return {
    objective,
    point,
    settings: point.settings,
    baseline,
    verdict: verdictOn(point, baseline, gain),
    decidedByScore,
    judgedBy,
    gain,
    benefits: changes.filter((change) => isDetectableChange(change) && isImprovement(change)),
    costs: changes.filter((change) => isDetectableChange(change) && !isImprovement(change)),
    alike: candidates.filter((other) => other !== point && isAlike(other, point, judgedBy)),
    flips: flipsOf(candidates, point, objective),
    edges: (search ?? sweep).axes.flatMap((axis) => edgeOf(axis, point)),
    failures: sweep.points.flatMap(failureOf),
    stopped: sweep.points.filter((point) => stoppedOf(point).length > 0),
  };
}

/** True where the change is for the better. */
export function isImprovement({ metric, absolute }: Change): boolean {
  return metric.better === "higher" ? absolute.mean > 0 : absolute.mean < 0;
}

/**
 * The point that a user names: by its position, or by what `pointName` calls it.
 * @throws InputError with the nearest name
 */
export function pointNamed(sweep: SweepResult, name: string): SweepPoint {
  const names = sweep.points.map((point) => pointName(point.settings));
  const at = /^\d+$/.test(name) && !names.includes(name) ? Number(name) : names.indexOf(name);
  const point = sweep.points[at];
  if (point !== undefined) return point;
  const expected = `expected a point's number (0 to ${sweep.points.length - 1}) or name, e.g. "${names[0] ?? ""}"`;
  throw new InputError(`--baseline ${JSON.stringify(name)}: ${expected}${didYouMean(name, names)}`);
}

function meanOf(point: SweepPoint, metric: Metric): number | null {
  return statisticsOf(point, metric)?.mean ?? null;
}

/** `candidates` all have the objective. */
function bestOf(
  candidates: readonly SweepPoint[],
  objective: Metric,
): { point: SweepPoint; decidedByScore: boolean } {
  const [first] = ranked(candidates, objective);
  const best = meanOf(first!, objective)!;
  const level = candidates.filter(
    (point) => Math.abs(meanOf(point, objective)! - best) <= TIE_SHARE * Math.abs(best),
  );
  const [point] = ranked(level, SCORE);
  return { point: point!, decidedByScore: level.length > 1 };
}

/** Best first; points without the metric are left out, equal ones keep their order. */
function ranked(points: readonly SweepPoint[], metric: Metric): readonly SweepPoint[] {
  const sign = metric.better === "higher" ? -1 : 1;
  return points
    .filter((point) => meanOf(point, metric) !== null)
    .toSorted((a, b) => sign * (meanOf(a, metric)! - meanOf(b, metric)!));
}

/** Always-disaggregate with the other settings of `best`, or with any; else the first point. */
function defaultBaseline(candidates: readonly SweepPoint[], best: SweepPoint): SweepPoint {
  const always = candidates.filter((point) => alwaysDisaggregates(point.settings));
  const shared = (point: SweepPoint) =>
    Object.keys(point.settings).filter((name) => point.settings[name] === best.settings[name]).length;
  const [nearest] = always.toSorted((a, b) => shared(b) - shared(a));
  return nearest ?? candidates[0]!;
}

function verdictOn(point: SweepPoint, baseline: SweepPoint, gain: Change | null): Verdict {
  if (point === baseline) return "baseline_is_best";
  if (gain === null || gain.absolute.low === null) return "one_seed";
  return isDetectableChange(gain) && isImprovement(gain) ? "better" : "no_detectable_difference";
}

/** True where the objective does not tell a point from the baseline, or by less than anybody would change a fleet for. */
function isLevelWith(gain: Change | null): boolean {
  if (gain === null || Math.abs(gain.relative?.mean ?? gain.absolute.mean) <= TIE_SHARE) return true;
  return gain.absolute.low !== null && !isDetectableChange(gain);
}

function isAlike(other: SweepPoint, point: SweepPoint, judgedBy: Metric): boolean {
  const change = changeOf(other, point, judgedBy);
  return change !== null && change.absolute.low !== null && !isDetectableChange(change);
}

/** Other objectives, each with the point that would win; a point is named once. */
function flipsOf(candidates: readonly SweepPoint[], chosen: SweepPoint, objective: Metric): readonly Flip[] {
  const flips: Flip[] = [];
  for (const metric of FLIP_METRICS) {
    const here = meanOf(chosen, metric);
    const [point] = ranked(candidates, metric);
    if (metric === objective || here === null || point === undefined || point === chosen) continue;
    const there = meanOf(point, metric)!;
    const isLevel = Math.abs(there - here) <= TIE_SHARE * Math.abs(here) || isAlike(point, chosen, metric);
    if (!isLevel && !flips.some((flip) => flip.point === point)) flips.push({ metric, point, there, here });
  }
  return flips;
}

/** A range of two values has no inside, and a threshold of 0 nothing below it. */
function edgeOf({ setting, values }: SweepAxis, point: SweepPoint): readonly Edge[] {
  const value = point.settings[setting];
  const numbers = values.filter((one) => typeof one === "number").toSorted((a, b) => a - b);
  if (typeof value !== "number" || numbers.length < 3 || isCondition(setting)) return [];
  if (value === numbers.at(-1)) return [{ setting, value, end: "largest" }];
  return value === numbers[0] && value > 0 ? [{ setting, value, end: "smallest" }] : [];
}

function failureOf(point: SweepPoint): readonly Failure[] {
  const failed = failuresOf(point);
  const hasEnded = summariesOf(point).length + stoppedOf(point).length > 0;
  if (failed.length === 0 && hasEnded) return [];
  return [{ point, failedRuns: failed.length, error: failed[0]?.error ?? "no run has a result" }];
}
