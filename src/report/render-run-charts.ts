import { quantile } from "simple-statistics";
import type { RunReport } from "./charts/run-charts.js";
import { timelineLegs } from "./charts/run-charts.js";
import { formatDuration, formatNumber } from "./format.js";
import type { RequestRow } from "./run-files-reader.js";
import { sparkline } from "./terminal-charts.js";
import type { TerminalOptions } from "./terminal-style.js";
import { styleFor, widthFor } from "./terminal-style.js";
import { textTable, type TextColumn } from "./text-table.js";

const COLUMNS_AT_MOST = 48;
/** Room for the names and figures around a chart. */
const AROUND = 50;

type Line = readonly [name: string, chart: string, reading: string];

/** A run at a glance, below its summary: latencies and queues over time, and how TTFT is spread. Empty without rows. */
export function renderRunCharts(run: RunReport, options: TerminalOptions = {}): string {
  const { bold, dim } = styleFor(options);
  const unicode = options.unicode === true;
  const count = Math.max(16, Math.min(COLUMNS_AT_MOST, widthFor(options) - AROUND));
  const lines = [
    ...latencyLines(run.requests ?? [], count, unicode),
    ...workerLines(run, count, unicode),
    ...spreadLine(run.requests ?? [], count, unicode),
  ];
  if (lines.length === 0) return "";
  const columns = ["", "", ""].map((header): TextColumn => ({ group: "", header, align: "left" }));
  const { rows } = textTable(columns, lines);
  const note = "Over time from left to right; heights are from 0 to the largest.";
  return `\n${bold("At a glance")}\n${rows.join("\n")}\n${dim(note)}\n`;
}

/** The p90 of requests by when they arrived. */
function latencyLines(requests: readonly RequestRow[], count: number, unicode: boolean): readonly Line[] {
  const endS = Math.max(0, ...requests.slice(-1).map(({ arrivalS }) => arrivalS));
  if (endS === 0) return [];
  return (
    [
      ["TTFT p90", "ttftMs"],
      ["TPOT p90", "tpotMs"],
    ] as const
  ).flatMap(([name, key]): Line[] => {
    const bins = Array.from({ length: count }, (): number[] => []);
    for (const row of requests) {
      const bin = bins[Math.min(count - 1, Math.floor((row.arrivalS / endS) * count))];
      if (!Number.isNaN(row[key])) bin?.push(row[key]);
    }
    const values = bins.map((bin) => (bin.length === 0 ? Number.NaN : quantile(bin, 0.9)));
    return values.every(Number.isNaN) ? [] : [[name, sparkline(values, { unicode }), range(values, " ms")]];
  });
}

/** The mean over the workers of a leg. */
function workerLines(run: RunReport, count: number, unicode: boolean): readonly Line[] {
  return timelineLegs(run).flatMap(({ leg, samples }) => {
    const endS = samples.at(-1)!.timeS;
    return (["running", "waiting"] as const).map((measure): Line => {
      const sums = new Float64Array(count);
      const seen = new Float64Array(count);
      for (const sample of samples) {
        const bin = endS === 0 ? 0 : Math.min(count - 1, Math.floor((sample.timeS / endS) * count));
        sums[bin]! += sample[measure];
        seen[bin]!++;
      }
      const values = [...sums].map((sum, i) => (seen[i] === 0 ? Number.NaN : sum / seen[i]!));
      return [`${leg} ${measure}`, sparkline(values, { unicode }), range(values, " a worker")];
    });
  });
}

/** How many requests had a TTFT of which size, on a logarithmic axis. */
function spreadLine(requests: readonly RequestRow[], count: number, unicode: boolean): readonly Line[] {
  const logs = requests.flatMap(({ ttftMs }) => (ttftMs > 0 ? [Math.log(ttftMs)] : []));
  if (logs.length === 0) return [];
  const [low, high] = [logs.reduce((a, b) => Math.min(a, b)), logs.reduce((a, b) => Math.max(a, b))];
  const bins = new Array<number>(count).fill(0);
  for (const log of logs) {
    const bin = high === low ? 0 : Math.min(count - 1, Math.floor(((log - low) / (high - low)) * count));
    bins[bin]!++;
  }
  const words = [low, high].map((log) => formatDuration(Math.exp(log) / 1000)).join(" to ");
  return [["TTFT spread", sparkline(bins, { unicode }), `${words} (log axis)`]];
}

function range(values: readonly number[], unit: string): string {
  const known = values.filter((value) => !Number.isNaN(value));
  return `${formatNumber(Math.min(...known))} to ${formatNumber(Math.max(...known))}${unit}`;
}
