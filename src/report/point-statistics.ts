import type { Interval } from "../measure/intervals.js";
import { intervalOfMean, isDetectable, pairedChange, pairedDifference } from "../measure/intervals.js";
import type { Summary } from "../measure/summary.js";
import type { SweepPoint, SweepRun } from "../sweep/sweep-result.js";
import type { Metric } from "./metrics.js";

/** The runs of a point that have a result. */
export function summariesOf(point: SweepPoint): readonly Summary[] {
  return point.runs.flatMap(({ summary }) => (summary === null ? [] : [summary]));
}

/** The runs of a point that failed. */
export function failuresOf(point: SweepPoint): readonly SweepRun[] {
  return point.runs.filter(({ summary, stopped }) => summary === null && stopped !== true);
}

/** The runs of a point that were stopped on request, since they could not reach the attainment asked for. */
export function stoppedOf(point: SweepPoint): readonly SweepRun[] {
  return point.runs.filter(({ stopped }) => stopped === true);
}

/** Tables, files and charts ask for the same intervals, and a bootstrap over many seeds takes time. */
const known = new WeakMap<SweepPoint, Map<Metric, Interval | null>>();

/** Mean and interval of a metric over the seeds of a point; null where no run has the metric. */
export function statisticsOf(point: SweepPoint, metric: Metric): Interval | null {
  let ofPoint = known.get(point);
  if (ofPoint === undefined) known.set(point, (ofPoint = new Map<Metric, Interval | null>()));
  let statistics = ofPoint.get(metric);
  if (statistics === undefined) ofPoint.set(metric, (statistics = computeStatistics(point, metric)));
  return statistics;
}

function computeStatistics(point: SweepPoint, metric: Metric): Interval | null {
  const values = summariesOf(point).flatMap((summary) => metric.read(summary) ?? []);
  return values.length === 0 ? null : intervalOfMean(values);
}

/** How a point differs from another in one metric, paired by seed. */
export interface Change {
  readonly metric: Metric;
  readonly absolute: Interval;
  /** null where the other point's value is 0. */
  readonly relative: Interval | null;
}

/**
 * True where chance explains the change neither in units nor relative to the other point: with few seeds the interval of one
 * can hold 0 while that of the other does not, and what is called a difference must be one in the figure that is shown.
 */
export function isDetectableChange({ absolute, relative }: Change): boolean {
  return isDetectable(absolute) && (relative === null || isDetectable(relative));
}

/** The change of a metric from `baseline` to `point`, over the seeds that both have; null without any. */
export function changeOf(point: SweepPoint, baseline: SweepPoint, metric: Metric): Change | null {
  const values: number[] = [];
  const baseValues: number[] = [];
  for (const run of point.runs) {
    const other = baseline.runs.find(({ seed }) => seed === run.seed);
    const value = run.summary === null ? null : metric.read(run.summary);
    const base = other?.summary == null ? null : metric.read(other.summary);
    if (value === null || base === null) continue;
    values.push(value);
    baseValues.push(base);
  }
  if (values.length === 0) return null;
  return {
    metric,
    absolute: pairedDifference(values, baseValues),
    relative: pairedChange(values, baseValues),
  };
}
