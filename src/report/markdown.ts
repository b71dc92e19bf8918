import type { Summary } from "../measure/summary.js";
import type { SweepPoint, SweepResult } from "../sweep/sweep-result.js";
import { formatNumber } from "./format.js";
import { formatMetric, TABLE_METRICS } from "./metrics.js";
import { statisticsOf } from "./point-statistics.js";
import { type Recommendation, recommendationFor } from "./recommendation.js";
import { factsOf, LATENCY_ROWS, STATISTICS, withoutWallTime } from "./render-summary.js";
import { settingsFlags, shortNameOf, valueWords } from "./setting-words.js";

/** The report of a sweep for a pull request or a wiki: the verdict, every point, and what it takes to repeat it. */
export function sweepMarkdown(sweep: SweepResult, recommendation: Recommendation | null): string {
  const [headline, ...rest] = recommendation?.words ?? ["No recommendation: no point has a result."];
  const header = [
    "",
    ...sweep.axes.map(({ setting }) => shortNameOf(setting)),
    ...TABLE_METRICS.map(({ label, unit }) => (unit === "" ? label : `${label}, ${unit}`)),
  ];
  const rows = sweep.points.map((point) => [
    recommendation === null ? "" : markOf(point, recommendation),
    ...sweep.axes.map(({ setting }) => valueWords(point.settings[setting] ?? null)),
    ...TABLE_METRICS.map((metric) => formatMetric(metric, statisticsOf(point, metric)?.mean ?? null)),
  ]);
  const flags = recommendation === null ? [] : [`- settings: \`${settingsFlags(recommendation.settings)}\``];
  return [
    `# ${escapeText(sweep.name)}`,
    `**${escapeText(headline!)}**`,
    rest.map((words) => `- ${escapeText(words)}`).join("\n"),
    table(header, rows, sweep.axes.length + 1),
    [
      ...flags,
      `- seeds: ${sweep.seeds.join(", ")} (figures are means over seeds)`,
      `- workload: \`${sweep.workload_hash}\``,
      `- pdbench ${sweep.versions.pdbench}`,
      ...sweep.notes.map((note) => `- ${escapeText(note)}`),
    ].join("\n"),
  ]
    .filter((section) => section !== "")
    .join("\n\n")
    .concat("\n");
}

function markOf(point: SweepPoint, recommendation: Recommendation): string {
  const own = recommendationFor(point, recommendation);
  return point === own.point ? "**recommended**" : point === own.baseline ? "baseline" : "";
}

/** The report of one run. */
export function runMarkdown(name: string, summary: Summary): string {
  const latencies = LATENCY_ROWS.map(([label, key]) => [
    label,
    ...STATISTICS.map((statistic) => formatNumber(summary[key][statistic])),
  ]);
  const facts = factsOf(withoutWallTime(summary)).map(([label, text]) => `- ${label}: ${escapeText(text)}`);
  const notes = summary.notes.map((note) => `- Note: ${escapeText(note)}`);
  const sections = [
    `# ${escapeText(name)}`,
    table(["ms", ...STATISTICS], latencies, 1),
    [...facts, ...notes].join("\n"),
  ];
  return `${sections.join("\n\n")}\n`;
}

/** A Markdown table; the first `textColumns` columns are text, the others figures. */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  textColumns: number,
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rule = header.map((_, i) => (i < textColumns ? "---" : "---:"));
  const escaped = rows.map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  return [line(header), line(rule), ...escaped.map(line)].join("\n");
}

/** Characters that Markdown would take for markup; underscores within words are not among them. */
export function escapeText(text: string): string {
  return text.replaceAll(/[\\`*<>[\]]/g, (character) => `\\${character}`);
}
