import { stringify } from "csv-stringify/sync";
import type { SettingValue, SweepPoint, SweepResult } from "../sweep/sweep-result.js";
import type { Metric } from "./metrics.js";
import { METRICS } from "./metrics.js";
import { frontOf } from "./pareto.js";
import { failuresOf, statisticsOf, stoppedOf, summariesOf } from "./point-statistics.js";
import { type Recommendation, recommendationFor } from "./recommendation.js";

type Cell = SettingValue | undefined;

/**
 * Text of the CSV form of a report: a row per point in grid order. After the settings come the seeds that have a result,
 * that failed and that were stopped early, three marks, and for each metric its mean over the seeds and the ends of the 95 % interval
 * (empty with one seed). Numbers are the shortest decimals that read back as the same double.
 */
export function reportCsv(sweep: SweepResult, recommendation: Recommendation | null): string {
  const onFront = frontOf(sweep);
  const ownOf = (point: SweepPoint) =>
    recommendation === null ? null : recommendationFor(point, recommendation);
  const settings = sweep.axes.map(({ setting }) => setting);
  const rows = sweep.points.map((point): Cell[] => [
    point.index,
    ...settings.map((setting) => point.settings[setting] ?? "null"),
    summariesOf(point).length,
    failuresOf(point).length,
    stoppedOf(point).length,
    point === ownOf(point)?.point,
    point === ownOf(point)?.baseline,
    onFront.has(point),
    ...METRICS.flatMap((metric) => intervalCells(point, metric)),
  ]);
  const header = [
    "point",
    ...settings,
    "seeds",
    "failed",
    "stopped",
    "recommended",
    "baseline",
    "on_pareto_front",
    ...METRICS.flatMap(columnNames),
  ];
  return stringify([header, ...rows], { cast: { boolean: String }, escape_formulas: true });
}

/** The columns of a metric: `ttft_ms_p90`, `ttft_ms_p90_low`, `ttft_ms_p90_high`. */
export function columnNames({ name }: Metric): readonly [string, string, string] {
  const column = name.replaceAll(".", "_");
  return [column, `${column}_low`, `${column}_high`];
}

function intervalCells(point: SweepPoint, metric: Metric): Cell[] {
  const statistics = statisticsOf(point, metric);
  return [statistics?.mean, statistics?.low, statistics?.high];
}
