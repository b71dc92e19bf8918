import { blocksOf } from "../../measure/batch-means.js";
import { latencyColumns, meanDifference, type RequestPairs } from "../comparison/request-pairs.js";
import { formatCount, formatNumber } from "../format.js";
import { type Chart, CONTAINER } from "./chart.js";

/** Requests drawn one by one; of more, every so many-th is drawn. The blocks' means are of all of them. */
const REQUESTS_AT_MOST = 600;

/** A latency whose difference is drawn. */
export interface TimedLatency {
  readonly key: "ttftMs" | "tpotMs" | "e2eMs";
  readonly label: string;
}

/** The difference of each pair of requests at its time of arrival, with the mean of each block of neighbours. */
export function differenceOverTimeChart(
  id: string,
  pairs: RequestPairs,
  { key, label }: TimedLatency,
  names: { readonly base: string; readonly other: string },
): Chart {
  const columns = latencyColumns(pairs, key);
  const { rows, base, other } = columns;
  const every = Math.max(1, Math.ceil(rows.length / REQUESTS_AT_MOST));
  const arrival = (i: number) => rounded(pairs.base[rows[i]!]!.arrivalS);
  const requests = rows.flatMap((row, i) => {
    if (i % every !== 0) return [];
    const ms = rounded(other[i]! - base[i]!);
    const text = `${formatNumber(base[i]!)} to ${formatNumber(other[i]!)} ms`;
    return [{ kind: "request", id: pairs.base[row]!.id, time_s: arrival(i), end_s: null, ms, text }];
  });
  const blocks = blocksOf(rows.length, meanDifference(columns), 2).map(({ from, to, value }, i) => {
    const text = `mean of ${formatCount(to - from)} requests`;
    return { kind: "block", id: i, time_s: arrival(from), end_s: arrival(to - 1), ms: rounded(value), text };
  });
  const sizes = requests.map(({ ms }) => Math.abs(ms)).sort((a, b) => a - b);
  const middle = sizes[Math.floor(sizes.length / 2)] ?? 1;
  const tooltip = [
    { field: "kind", title: "kind" },
    { field: "id", title: "number" },
    { field: "ms", title: "difference, ms" },
    { field: "text", title: "from" },
  ];
  const x = {
    field: "time_s",
    type: "quantitative" as const,
    title: "arrival, s",
    scale: { nice: false },
    axis: { grid: false },
  };
  const color = {
    field: "kind",
    type: "nominal" as const,
    legend: null,
    scale: { domain: ["request", "block"] },
  };
  const sampled = every === 1 ? "" : ` One request in ${formatCount(every)} is drawn.`;
  return {
    id,
    title: `${label} of each request: ${names.other} minus ${names.base}`,
    caption:
      "Below the line at 0 is better. Bars are means of blocks of requests that came one after the other (all of them); " +
      `the axis is logarithmic away from 0.${sampled}`,
    spec: {
      ...CONTAINER,
      height: 260,
      data: { values: [...requests, ...blocks] },
      layer: [
        {
          mark: { type: "point", filled: true, size: 14, opacity: 0.35 },
          transform: [{ filter: "datum.kind == 'request'" }],
          encoding: {
            x,
            y: {
              field: "ms",
              type: "quantitative",
              title: "difference, ms",
              scale: { type: "symlog", constant: Math.max(0.01, middle), nice: true },
              axis: { tickCount: 7, format: ",.3~r" },
            },
            color,
            tooltip,
          },
        },
        {
          mark: { type: "rule", strokeDash: [4, 3], aria: false },
          encoding: { y: { datum: 0, type: "quantitative" } },
        },
        {
          mark: { type: "rule", strokeWidth: 4 },
          transform: [{ filter: "datum.kind == 'block'" }],
          encoding: { x, x2: { field: "end_s" }, y: { field: "ms", type: "quantitative" }, color, tooltip },
        },
      ],
    },
  };
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
