import type { Summary } from "../../measure/summary.js";
import type { LoggedDecision } from "../explain-request.js";
import type { RequestRow, WorkerSample } from "../run-files-reader.js";
import { decisionsFromRequests, type LegDecision } from "../leg-decisions.js";
import { type Chart, hasRows } from "./chart.js";
import { branchesOverTimeChart, type DecidedLeg, sentOverTimeChart } from "./decisions-over-time.js";
import {
  latencyDistributionChart,
  type LatencySeries,
  percentilesOf,
  seriesOf,
} from "./latency-distribution.js";
import { timeBreakdownChart } from "./time-breakdown.js";
import { TIMELINE_MEASURES, workerTimelineChart } from "./worker-timeline.js";

/** What a run directory holds. */
export interface RunReport {
  readonly name: string;
  readonly summary: Summary;
  /** null where the directory has no such file. */
  readonly requests: readonly RequestRow[] | null;
  readonly timeline: readonly WorkerSample[] | null;
  /** Of the requests that the page shows, by number. */
  readonly decisions: ReadonlyMap<number, LoggedDecision> | null;
  /** Of all requests. */
  readonly legDecisions: readonly LegDecision[] | null;
}

/** The workers of a leg that have a timeline. */
export interface TimelineLeg {
  readonly leg: "prefill" | "decode";
  readonly workers: readonly string[];
  readonly samples: readonly WorkerSample[];
  readonly decided: DecidedLeg;
  /** End of the time axis, the same for all legs. */
  readonly endS: number;
}

/** TTFT by path as series. */
export function ttftSeries(requests: readonly RequestRow[]): readonly LatencySeries[] {
  const paths = ["disaggregated", "decode_only"].filter((path) => requests.some((one) => one.path === path));
  return paths.map((path) =>
    seriesOf(
      path.replaceAll("_", " "),
      requests.filter((one) => one.path === path).map(({ ttftMs }) => ttftMs),
    ),
  );
}

/** How TTFT and ITL are spread. */
export function distributionCharts({ summary, requests }: RunReport): readonly Chart[] {
  if (requests === null) return [];
  return [
    latencyDistributionChart(
      "distribution-ttft",
      "TTFT distribution",
      "Share of requests whose first token came within a time; further left is better.",
      ttftSeries(requests),
    ),
    latencyDistributionChart(
      "distribution-itl",
      "ITL distribution",
      "Share of token gaps within a time, from the percentiles of the summary; further left is better.",
      [{ name: "all requests", points: percentilesOf([summary.itl_ms]) }],
    ),
  ].filter(hasRows);
}

/** Where the time of requests goes. */
export function breakdownCharts({ requests }: RunReport): readonly Chart[] {
  if (requests === null) return [];
  return (["until the first token", "whole request"] as const)
    .map((range) => timeBreakdownChart(requests, range))
    .filter(hasRows);
}

/** The legs of which samples or decisions are known. */
export function timelineLegs(run: RunReport): readonly TimelineLeg[] {
  const { summary, timeline } = run;
  const decisions = run.legDecisions ?? decisionsFromRequests(run.requests ?? []);
  const endS = endOf([...(timeline ?? []), ...decisions]);
  return (["prefill", "decode"] as const).flatMap((leg) => {
    const workers = summary.workers.filter(({ role }) => role === leg).map(({ id }) => id);
    const samples = (timeline ?? []).filter(({ worker }) => workers.includes(worker));
    const own = decisions.filter((decision) => decision.leg === leg);
    if (samples.length === 0) return [];
    const areLogged = run.legDecisions !== null;
    return [{ leg, workers, samples, endS, decided: { leg, workers, decisions: own, endS, areLogged } }];
  });
}

/** The charts of a leg over time, on one axis: what was decided, and how the workers fared. */
export function timelineCharts({ leg, samples, endS, decided }: TimelineLeg): readonly Chart[] {
  return [
    branchesOverTimeChart(decided),
    sentOverTimeChart(decided),
    ...TIMELINE_MEASURES.map((measure) => workerTimelineChart(measure, leg, samples, endS)),
  ].filter(hasRows);
}

/** A run that takes no time at all still gets an axis. */
function endOf(moments: readonly { readonly timeS: number }[]): number {
  return moments.reduce((end, { timeS }) => Math.max(end, timeS), 0) || 1;
}

/** Every chart of a run, in the order of its page. */
export function runCharts(run: RunReport): readonly Chart[] {
  return [...distributionCharts(run), ...breakdownCharts(run), ...timelineLegs(run).flatMap(timelineCharts)];
}
