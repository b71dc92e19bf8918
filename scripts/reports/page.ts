import { intervalOfMean, isDetectable, pairedChange } from "../../src/measure/intervals.js";
import type { Summary } from "../../src/measure/summary.js";
import { formatChange, formatNumber } from "../../src/report/format.js";
import { table } from "../../src/report/markdown.js";
import { summariesOf } from "../../src/report/point-statistics.js";
import type { SweepPoint } from "../../src/sweep/sweep-result.js";

/** A report: title, sections one blank line apart, and how to make its figures again. */
export function page(title: string, scenarios: readonly string[], sections: readonly string[]): string {
  const files = scenarios.map((name) => `\`scenarios/${name}.yaml\``).join(", ");
  const footer = `Simulated; settings in ${files}. \`npm run reports\` writes this file again, byte for byte.`;
  return `${[`# ${title}`, ...sections, "---", footer].join("\n\n")}\n`;
}

/** Two columns or more side by side: one row for each figure, one column for each variant. */
export function columns(
  variants: readonly string[],
  rows: readonly (readonly [label: string, ...cells: string[]])[],
): string {
  return table(["", ...variants], rows, 1);
}

/** Reads one figure of a summary. */
export type Figure = (summary: Summary) => number | null;

/** Mean of a figure over the seeds of a point; null where no run has it. */
export function meanOf(point: SweepPoint, figure: Figure): number | null {
  const values = summariesOf(point).flatMap((summary) => figure(summary) ?? []);
  return values.length === 0 ? null : intervalOfMean(values).mean;
}

/** `mean ± half-width` of the 95 % interval over seeds. */
export function withInterval(point: SweepPoint, figure: Figure, format = formatNumber): string {
  const values = summariesOf(point).flatMap((summary) => figure(summary) ?? []);
  if (values.length === 0) return format(null);
  const { mean, high } = intervalOfMean(values);
  return high === null ? format(mean) : `${format(mean)} ± ${format(high - mean)}`;
}

/** `64/64/64/64`: requests of the workers of a leg in fleet order. */
export function requestsOf({ workers }: Summary, leg: "prefill" | "decode"): string {
  return workers
    .filter(({ role }) => role === leg)
    .map(({ requests }) => requests)
    .join("/");
}

/**
 * `111 (+8.4 %)`: mean of a figure over seeds and its change from `baseline`, paired by seed; the change is `(=)`
 * where its 95 % interval holds 0.
 */
export function withChange(point: SweepPoint, baseline: SweepPoint, figure: Figure): string {
  const [values, baseValues] = [point, baseline].map((of) =>
    summariesOf(of).map((summary) => figure(summary) ?? NaN),
  );
  const mean = formatNumber(meanOf(point, figure));
  if (point === baseline) return mean;
  const change = pairedChange(values!, baseValues!);
  if (change === null) return mean;
  return `${mean} (${isDetectable(change) ? formatChange(change.mean) : "="})`;
}
