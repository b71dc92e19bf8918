import { stringify } from "csv-stringify/sync";
import type { Summary } from "../measure/summary.js";
import { leavesOf } from "./fingerprint.js";
import type { SweepResult } from "./sweep-result.js";

/** What of a summary is a table of its own rather than a figure of the run. */
const NOT_METRICS = ["schema", "scenario", "settings", "workers", "notes", "simulator"];

/**
 * Text of `points.csv`: a row per point and seed in grid order. First the swept settings, then every figure of
 * the summary (`ttft_ms_p90`), then every setting in force (`settings.engine.block_size`). A run that failed
 * has its reason in `error` and no figures.
 */
export function pointsCsv(sweep: SweepResult): string {
  const axes = sweep.axes.map(({ setting }) => setting);
  const rows = sweep.points.flatMap(({ index, settings, runs }) =>
    runs.map(({ seed, summary, error }) => ({
      start: [index, seed, ...axes.map((axis) => settings[axis]), error ?? ""],
      metrics: summary === null ? new Map<string, unknown>() : metricsOf(summary),
      settings: summary === null ? new Map<string, unknown>() : settingsOf(summary),
    })),
  );
  const metrics = [...new Set(rows.flatMap((row) => [...row.metrics.keys()]))];
  const settings = [...new Set(rows.flatMap((row) => [...row.settings.keys()]))];
  const table = rows.map((row) => [
    ...row.start,
    ...metrics.map((name) => row.metrics.get(name)),
    ...settings.map((name) => row.settings.get(name)),
  ]);
  const header = ["point", "seed", ...axes, "error", ...metrics, ...settings];
  return stringify([header, ...table], { cast: { boolean: String }, escape_formulas: true });
}

/** `ttft_ms.p90` becomes `ttft_ms_p90`; counts of branches are left out, as they differ from point to point. */
function metricsOf(summary: Summary): Map<string, unknown> {
  const figures = Object.entries(summary).filter(([name]) => !NOT_METRICS.includes(name));
  return new Map(
    [...leavesOf(Object.fromEntries(figures))]
      .filter(([path]) => !/^routing\.(leg_)?branches/.test(path))
      .map(([path, value]) => [path.replaceAll(".", "_"), value]),
  );
}

function settingsOf(summary: Summary): Map<string, unknown> {
  return leavesOf({ settings: summary.settings });
}
