import type { SweepPoint, SweepResult } from "../sweep/sweep-result.js";
import { formatChange, formatCount, MISSING } from "./format.js";
import type { Metric } from "./metrics.js";
import { formatMetric, metricNamed } from "./metrics.js";
import { changeOf, failuresOf, statisticsOf, stoppedOf } from "./point-statistics.js";
import { type Recommendation, recommendationFor } from "./recommendation.js";
import { baselineWords } from "./recommendation-words.js";
import { shortNameOf, valueWords } from "./setting-words.js";
import { bar } from "./terminal-charts.js";
import type { TerminalOptions } from "./terminal-style.js";
import { styleFor, widthFor } from "./terminal-style.js";
import type { TextColumn } from "./text-table.js";
import { textTable, textTableWidth, wrap } from "./text-table.js";

const POINTS_AT_MOST = 40;
const BAR_WIDTH = 8;

interface SweepColumn extends TextColumn {
  cell(point: SweepPoint): string;
  /** Columns of the highest number go first where the terminal is narrow. */
  readonly dropOrder: number;
}

/**
 * The points of a sweep for a terminal, ending in the recommendation in words. `>` marks the recommended
 * point, `=` the baseline. A sweep of many points shows the best ones; all are in `points.csv`.
 */
export function renderSweepTable(
  sweep: SweepResult,
  recommendation: Recommendation | null,
  options: TerminalOptions = {},
): string {
  const style = styleFor(options);
  const width = widthFor(options);
  const shown = pointsToShow(sweep, recommendation);
  const columns = columnsThatFit(columnsOf(sweep, recommendation, shown, options), shown, width);
  const { header, rows } = textTable(columns, cellsOf(columns, shown));
  const body = rows.map((row, i) => {
    const isRecommended = recommendation !== null && markOf(shown[i]!, recommendation) === ">";
    return isRecommended ? style.bold(style.good(row)) : row;
  });
  const left = sweep.points.length - shown.length;
  const hidden = left > 0 ? [style.dim(`${formatCount(left)} more points in points.csv`)] : [];
  const sections = [
    [titleOf(sweep, style.bold)],
    [...header.map(style.dim), ...body, ...hidden],
    ...(recommendation === null ? [] : [wrap(legendOf(sweep, recommendation), width).map(style.dim)]),
    ...(sweep.notes.length === 0 ? [] : [sweep.notes.flatMap((note) => wrap(`Note: ${note}`, width, "  "))]),
    ...verdictLines(recommendation, width, style.bold),
  ];
  return `${sections.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function titleOf(sweep: SweepResult, bold: (text: string) => string): string {
  const seeds = sweep.seeds.length === 1 ? "1 seed" : `${sweep.seeds.length} seeds`;
  const points = sweep.points.length === 1 ? "1 point" : `${formatCount(sweep.points.length)} points`;
  const means = sweep.seeds.length === 1 ? "" : ", means over seeds";
  return `${bold(sweep.name)}  ${points} x ${seeds}${means}`;
}

function legendOf(sweep: SweepResult, { baseline, judgedBy, point }: Recommendation): string {
  const change = `${judgedBy.label} over ${baselineWords(baseline)}`;
  const marks = point === baseline ? "> recommended and baseline;" : "> recommended, = baseline;";
  const paired = sweep.seeds.length > 1 ? ", paired by seed" : "";
  return `${marks} change: ${change}${paired}`;
}

function verdictLines(
  recommendation: Recommendation | null,
  width: number,
  bold: (text: string) => string,
): readonly (readonly string[])[] {
  if (recommendation === null) return [["No recommendation: no point has a result."]];
  const [headline, ...rest] = recommendation.words;
  return [wrap(headline!, width).map(bold), rest.flatMap((words) => wrap(`- ${words}`, width, "  "))].filter(
    (lines) => lines.length > 0,
  );
}

/** All points in grid order, or the best by the judged metric, with the baseline. */
function pointsToShow(sweep: SweepResult, recommendation: Recommendation | null): readonly SweepPoint[] {
  if (sweep.points.length <= POINTS_AT_MOST || recommendation === null) {
    return sweep.points.slice(0, POINTS_AT_MOST);
  }
  const { judgedBy, point, baseline } = recommendation;
  const worst = judgedBy.better === "higher" ? -Infinity : Infinity;
  const value = (one: SweepPoint) => statisticsOf(one, judgedBy)?.mean ?? worst;
  const sign = judgedBy.better === "higher" ? -1 : 1;
  const byValue = sweep.points.toSorted((a, b) => sign * (value(a) - value(b)) || a.index - b.index);
  const kept = new Set([point, baseline]);
  for (const one of byValue) if (kept.size < POINTS_AT_MOST) kept.add(one);
  return sweep.points.filter((one) => kept.has(one));
}

function columnsOf(
  sweep: SweepResult,
  recommendation: Recommendation | null,
  shown: readonly SweepPoint[],
  options: TerminalOptions,
): readonly SweepColumn[] {
  const mark = (point: SweepPoint) => (recommendation === null ? "" : markOf(point, recommendation));
  const axes = sweep.axes.map(({ setting }): SweepColumn => {
    const name = shortNameOf(setting).split(".").at(-1)!;
    const [header, ...before] = name.split("_").reverse();
    const group = before.reverse().join("_");
    const isNumeric = sweep.points.every((point) => typeof point.settings[setting] === "number");
    const cell = (point: SweepPoint) => valueWords(point.settings[setting] ?? null);
    return { group, header: header!, align: isNumeric ? "right" : "left", cell, dropOrder: 0 };
  });
  const metric = (name: string, group: string, header: string, dropOrder: number): SweepColumn => {
    const one = metricNamed(name);
    const cell = (point: SweepPoint) => cellText(one, point);
    return { group, header, align: "right", cell, dropOrder };
  };
  return [
    { group: "", header: "", align: "left", cell: mark, dropOrder: 0 },
    ...axes,
    metric("goodput", "goodput", "req/s", 0),
    ...(recommendation === null
      ? []
      : [changeColumn(recommendation), barColumn(recommendation, shown, options)]),
    metric("attainment", "in SLO", "%", 4),
    metric("ttft_ms.p50", "TTFT ms", "p50", 5),
    metric("ttft_ms.p90", "TTFT ms", "p90", 0),
    metric("ttft_ms.p99", "TTFT ms", "p99", 6),
    metric("itl_ms.p50", "ITL ms", "p50", 7),
    metric("itl_ms.p90", "ITL ms", "p90", 0),
    metric("itl_ms.p99", "ITL ms", "p99", 8),
    metric("hit_rate", "hits", "%", 3),
    metric("score", "", "score", 9),
  ];
}

function markOf(point: SweepPoint, recommendation: Recommendation): ">" | "=" | "" {
  const own = recommendationFor(point, recommendation);
  return point === own.point ? ">" : point === own.baseline ? "=" : "";
}

function changeColumn(recommendation: Recommendation): SweepColumn {
  const cell = (point: SweepPoint) => {
    const { baseline } = recommendationFor(point, recommendation);
    if (point === baseline) return "";
    const relative = changeOf(point, baseline, recommendation.judgedBy)?.relative;
    return relative == null ? MISSING : formatChange(relative.mean);
  };
  return { group: "", header: "change", align: "right", cell, dropOrder: 2 };
}

/** The judged metric as a bar from 0 to the largest shown. */
function barColumn(
  { judgedBy }: Recommendation,
  shown: readonly SweepPoint[],
  { unicode = false }: TerminalOptions,
): SweepColumn {
  const valueOf = (point: SweepPoint) => statisticsOf(point, judgedBy)?.mean ?? 0;
  const largest = Math.max(...shown.map(valueOf));
  const cell = (point: SweepPoint) =>
    largest > 0 ? bar(valueOf(point) / largest, BAR_WIDTH, { unicode }) : "";
  const header = judgedBy.label.length > BAR_WIDTH ? "" : judgedBy.label;
  return { group: "", header, align: "left", cell, dropOrder: 4.5 };
}

function cellText(metric: Metric, point: SweepPoint): string {
  const statistics = statisticsOf(point, metric);
  if (statistics === null) {
    if (metric.name !== "goodput.requests_per_s") return MISSING;
    return failuresOf(point).length === 0 && stoppedOf(point).length > 0 ? "stopped" : "failed";
  }
  return metric.isShare ? (statistics.mean * 100).toFixed(1) : formatMetric(metric, statistics.mean);
}

function cellsOf(columns: readonly SweepColumn[], points: readonly SweepPoint[]): string[][] {
  return points.map((point) => columns.map((column) => column.cell(point)));
}

function columnsThatFit(
  columns: readonly SweepColumn[],
  points: readonly SweepPoint[],
  width: number,
): readonly SweepColumn[] {
  let kept = columns;
  while (textTableWidth(kept, cellsOf(kept, points)) > width) {
    const first = Math.max(...kept.map(({ dropOrder }) => dropOrder));
    if (first === 0) break;
    kept = kept.filter(({ dropOrder }) => dropOrder !== first);
  }
  return kept;
}
