import { formatNumber, formatShare } from "../report/format.js";
import { formatMetric, metricNamed } from "../report/metrics.js";
import { pointName, shortNameOf, valueWords } from "../report/setting-words.js";
import { textTable, textTableWidth, wrap, type TextColumn } from "../report/text-table.js";
import type { OptimizeResult, RankedPoint } from "../sweep/search/optimize.js";

const POINTS_AT_MOST = 10;
const WIDTH = 100;

/**
 * What a search found, for a terminal of 100 columns: a table, then the answer in words.
 *
 * @param words the answer, a sentence or two each
 */
export function optimizeText(result: OptimizeResult, words: readonly string[]): string {
  const { points } = result;
  const shown = points.slice(0, POINTS_AT_MOST);
  const columns = columnsOf(result, shown);
  const rows = shown.map((point) => columns.map(({ cell }) => cell(point)));
  const table = textTable(columns, rows);
  const more = points.length > shown.length ? [`... and ${points.length - shown.length} more points`] : [];
  const [answer, ...rest] = words;
  const lines = [
    ...wrap(answer ?? "", WIDTH),
    ...(rest.length === 0 ? [] : [""]),
    ...rest.flatMap((one) => wrap(`- ${one}`, WIDTH, "  ")),
  ];
  return [...table.header, ...table.rows, ...more, "", ...lines, ""].join("\n");
}

interface Column extends TextColumn {
  readonly cell: (point: RankedPoint) => string;
}

function columnsOf(result: OptimizeResult, shown: readonly RankedPoint[]): readonly Column[] {
  const { objective, goal } = result;
  const metric = metricNamed(objective.metric);
  const right = (header: string, cell: Column["cell"]): Column => ({
    group: "",
    header,
    align: "right",
    cell,
  });
  const ofGoal = {
    best: [],
    max_rate: [
      right("sustained", ({ load }) => sustainedWords(load!)),
      right("requests/s", ({ load }) => formatNumber(load!.requests_per_s)),
      right("not", ({ load }) => (load!.exceeded === null ? "" : `x${formatNumber(load!.exceeded)}`)),
    ],
    cheapest: [right("GPUs", ({ gpus }) => String(gpus))],
  }[goal];
  const axes = result.axes
    .filter(({ setting }) => differs(setting, shown))
    .map(({ setting }) => axisColumn(setting));
  const figures = [
    ...ofGoal,
    right("in SLO", ({ attainment }) => (attainment === null ? "stopped" : formatShare(attainment))),
    right(metric.label, (point) => formatMetric(metric, point.objective)),
  ];
  const columns = [...axes, ...figures];
  const rows = shown.map((point) => columns.map(({ cell }) => cell(point)));
  if (axes.length > 0 && textTableWidth(columns, rows) <= WIDTH) return columns;
  // Too many axes for columns of their own.
  const names = (point: RankedPoint): string => shorten(pointName(point.settings));
  return [{ group: "", header: "settings", align: "left", cell: names }, ...figures];
}

/** What is the same everywhere needs no column. */
function differs(setting: string, points: readonly RankedPoint[]): boolean {
  return new Set(points.map(({ settings }) => settings[setting])).size > 1;
}

/** A long name stands above its last word: `routing` over `threshold`. */
function axisColumn(setting: string): Column {
  const words = shortNameOf(setting).split(".").at(-1)!.split("_");
  const header = words.pop()!;
  const cell = ({ settings }: RankedPoint): string => valueWords(settings[setting] ?? null);
  return { group: words.join("_"), header, align: "left", cell };
}

/** A point that was left before anything was sustained could still sustain less. */
function sustainedWords({ sustained, exceeded }: NonNullable<RankedPoint["load"]>): string {
  return sustained === null ? `< x${formatNumber(exceeded)}` : `x${formatNumber(sustained)}`;
}

function shorten(name: string): string {
  return name.length <= 56 ? name : `${name.slice(0, 55)}…`;
}
