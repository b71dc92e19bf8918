import type { OptimizeResult, RankedPoint } from "../sweep/search/optimize.js";
import type { SweepPoint, SweepResult } from "../sweep/sweep-result.js";
import { formatChange, formatCount, formatNumber, formatShare } from "./format.js";
import { formatMetricWithUnit, type Metric, metricNamed } from "./metrics.js";
import { statisticsOf } from "./point-statistics.js";
import { pointName } from "./setting-words.js";

const NEXT_AT_MOST = 2;
const FIGURES = ["ttft_ms.p90", "itl_ms.p90", "hit_rate"].map(metricNamed);

/**
 * What a search found, in sentences, the answer first: for a search for the best settings what its last points say
 * (`verdict`), for one for a load or a fleet what it found, what comes next and what to expect there.
 *
 * @param verdict the words of a recommendation among the points the search ended with
 */
export function searchWords(
  search: OptimizeResult,
  sweep: SweepResult,
  verdict: readonly string[],
): readonly string[] {
  const budget = [budgetWords(search), ...gridWords(search)];
  if (search.goal !== "best") {
    return [answerWords(search), ...nextWords(search), ...expectedWords(search, sweep), ...budget];
  }
  if (search.recommended !== null) return [...verdict, ...budget];
  return [
    answerWords(search),
    ...verdict.map((words, i) => (i === 0 ? `The closest: ${words}` : words)),
    ...budget,
  ];
}

/** The point of a search's sweep that a ranked point stands for; null where there is none. */
export function sweepPointOf(ranked: RankedPoint | null | undefined, sweep: SweepResult): SweepPoint | null {
  if (ranked == null) return null;
  const isSame = ({ settings }: SweepPoint) =>
    Object.entries(ranked.settings).every(([setting, value]) => settings[setting] === value);
  return sweep.points.find(isSame) ?? null;
}

/** The figures of a point that are told beside the answer of a search, its objective first. */
export function figuresOf({ objective }: OptimizeResult): readonly Metric[] {
  const first = metricNamed(objective.metric);
  return [first, ...FIGURES.filter((metric) => metric !== first)];
}

/** Requests per second of a load that a search tried, by what the same setting stands for elsewhere in it; null = unknown. */
export function offeredAt(search: OptimizeResult, value: number | null): number | null {
  const known = search.points.find(({ load }) => load?.requests_per_s != null)?.load;
  if (value === null || known == null) return null;
  return (value / known.sustained!) * known.requests_per_s!;
}

function answerWords(search: OptimizeResult): string {
  const { recommended, goal, attainment } = search;
  const target =
    attainment === null ? "" : ` at an SLO attainment of ${formatShare(attainment)} under every seed`;
  if (recommended === null) {
    const nothing = { best: "No point", max_rate: "No point at any load", cheapest: "No fleet" }[goal];
    return `${nothing} of the grid holds${target.replace(/^ at/, "")}.`;
  }
  const name = pointName(recommended.settings);
  if (goal === "cheapest") {
    return `${recommended.gpus!} GPUs will do${target}: ${name}; nothing in the grid is cheaper.`;
  }
  const { knob, sustained, exceeded, requests_per_s: perS } = recommended.load!;
  const limit =
    exceeded === null
      ? "no limit was found"
      : `at ${formatNumber(exceeded)}${inBrackets(offeredAt(search, exceeded))} it is missed`;
  const who = Object.keys(recommended.settings).length === 0 ? "The scenario" : name;
  return `${who} sustains ${knob} ${formatNumber(sustained)}${inBrackets(perS)}${target}; ${limit}.`;
}

function inBrackets(requestsPerS: number | null): string {
  return requestsPerS === null ? "" : ` (${formatNumber(requestsPerS)} requests/s)`;
}

/** What one would take instead: the points that sustain most after the best, and how much less that is. */
function nextWords({ goal, recommended, points }: OptimizeResult): readonly string[] {
  const best = recommended?.load?.requests_per_s;
  if (goal !== "max_rate" || best == null) return [];
  const next = points
    .filter(
      (point) => point !== recommended && pointName(point.settings) !== pointName(recommended!.settings),
    )
    .filter(({ load }) => load!.requests_per_s !== null)
    .slice(0, NEXT_AT_MOST)
    .map(({ settings, load }) => {
      const atLeast = load!.beaten ? "at least " : "";
      const change = formatChange(load!.requests_per_s! / best - 1);
      return `${pointName(settings)} with ${atLeast}${formatNumber(load!.requests_per_s)} requests/s (${change})`;
    });
  if (next.length === 0) return [];
  const isLeft = points.some(({ load }) => load!.beaten);
  return [
    `Next: ${next.join(", ")}.`,
    ...(isLeft
      ? [
          "A point is left once it misses at a load that another one sustains: its own limit may be a little higher than what is given for it.",
        ]
      : []),
  ];
}

/** The figures of the runs that the answer rests on. */
function expectedWords(search: OptimizeResult, sweep: SweepResult): readonly string[] {
  const point = sweepPointOf(search.recommended, sweep);
  if (point === null) return [];
  const figures = figuresOf(search).map((metric) => {
    const value = statisticsOf(point, metric)?.mean ?? null;
    return `${metric.label} ${formatMetricWithUnit(metric, value)}`;
  });
  return [`${search.goal === "max_rate" ? "At that load" : "With that fleet"}: ${figures.join(", ")}.`];
}

function budgetWords({ budget, rungs }: OptimizeResult): string {
  const runs = `${formatCount(budget.runs)} runs`;
  const requests = `${formatCount(budget.requests)} simulated requests`;
  if (!("full_grid_requests" in budget)) {
    return `The search took ${runs}, at most ${requests} (runs end when they can no longer make it).`;
  }
  const share = formatShare(budget.requests / budget.full_grid_requests);
  const steps = rungs.map(({ points, requests, seeds }) => {
    return `${points} x ${formatCount(requests)}${seeds.length > 1 ? ` x ${seeds.length} seeds` : ""}`;
  });
  return `The search took ${runs}, ${requests}, ${share} of the whole grid's. Points x requests: ${steps.join(", ")}.`;
}

function gridWords({ grid, objective }: OptimizeResult): readonly string[] {
  if (grid === null) return [];
  const { rank, points, best, found, regret } = grid;
  const metric = metricNamed(objective.metric);
  if (rank === 1) return [`It is the best of the ${points} points of the grid in ${grid.directory}.`];
  return [
    `In the grid in ${grid.directory} it is number ${rank} of ${points}: ${formatMetricWithUnit(metric, found.value)}, ` +
      `${formatShare(regret)} from the best, ${pointName(best.settings)} with ${formatMetricWithUnit(metric, best.value)}.`,
  ];
}
