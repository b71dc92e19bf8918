import type { Summary } from "../../measure/summary.js";
import type { LoggedDecision } from "../explain-request.js";
import type { RequestRow, WorkerSample } from "../run-files-reader.js";
import { type Chart, hasRows } from "./chart.js";
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
}

/** The workers of a leg that have a timeline. */
export interface TimelineLeg {
  readonly leg: "prefill" | "decode";
  readonly workers: readonly string[];
  readonly samples: readonly WorkerSample[];
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

/** The legs of which samples are known. */
export function timelineLegs({ summary, timeline }: RunReport): readonly TimelineLeg[] {
  return (["prefill", "decode"] as const).flatMap((leg) => {
    const workers = summary.workers.filter(({ role }) => role === leg).map(({ id }) => id);
    const samples = (timeline ?? []).filter(({ worker }) => workers.includes(worker));
    return samples.length === 0 ? [] : [{ leg, workers, samples }];
  });
}

/** Each measure of the workers over time, leg by leg. */
export function timelineCharts(legs: readonly TimelineLeg[]): readonly Chart[] {
  return TIMELINE_MEASURES.flatMap((measure) =>
    legs.map(({ leg, samples }) => workerTimelineChart(measure, leg, samples)),
  );
}

/** Every chart of a run, in the order of its page. */
export function runCharts(run: RunReport): readonly Chart[] {
  return [...distributionCharts(run), ...breakdownCharts(run), ...timelineCharts(timelineLegs(run))];
}
