import type { Distribution } from "../../measure/summary.js";
import { formatNumber } from "../format.js";
import { type Chart, CONTAINER } from "./chart.js";

const STEPS = 200;

/** A latency's share of values at or below each of some points. */
export interface LatencySeries {
  readonly name: string;
  readonly points: readonly { readonly ms: number; readonly percent: number }[];
}

/** The share of values at or below each percentile of a sample, thinned to a curve; NaN is left out. */
export function seriesOf(name: string, sampleMs: readonly number[]): LatencySeries {
  const sorted = Float64Array.from(sampleMs.filter((ms) => ms > 0)).sort();
  if (sorted.length === 0) return { name, points: [] };
  const steps = Math.min(STEPS, sorted.length - 1);
  const points = Array.from({ length: steps + 1 }, (_, i) => {
    const share = steps === 0 ? 1 : i / steps;
    return { ms: sorted[Math.round(share * (sorted.length - 1))]!, percent: share * 100 };
  });
  return { name, points };
}

/** What is known of a distribution whose values are not: its percentiles from the median up, means over runs. */
export function percentilesOf(distributions: readonly Distribution[]): LatencySeries["points"] {
  const known = [
    [50, "p50"],
    [75, "p75"],
    [90, "p90"],
    [95, "p95"],
    [99, "p99"],
    [100, "max"],
  ] as const;
  return known.flatMap(([percent, key]) => {
    const values = distributions.flatMap((one) => one[key] ?? []);
    if (values.length === 0) return [];
    const ms = values.reduce((sum, value) => sum + value, 0) / values.length;
    return ms > 0 ? [{ ms, percent }] : [];
  });
}

/** How a latency is spread, on a logarithmic axis: read off the share of requests (or gaps) faster than a value. */
export function latencyDistributionChart(
  id: string,
  title: string,
  caption: string,
  series: readonly LatencySeries[],
): Chart {
  const values = series.flatMap(({ name, points }) =>
    points.map(({ ms, percent }) => ({
      series: name,
      ms,
      percent,
      text: `${formatNumber(percent)} % at or below ${formatNumber(ms)} ms`,
    })),
  );
  return {
    id,
    title,
    caption,
    spec: {
      ...CONTAINER,
      height: 220,
      data: { values },
      encoding: {
        x: {
          field: "ms",
          type: "quantitative",
          title: "ms",
          scale: { type: "log", nice: false },
          axis: { tickCount: 5, format: ",~r", labelOverlap: "greedy", labelSeparation: 8 },
        },
        y: {
          field: "percent",
          type: "quantitative",
          title: "at or below, %",
          scale: { domain: [0, 100] },
          axis: { tickCount: 5 },
        },
        color: { field: "series", type: "nominal", sort: null, legend: null },
      },
      layer: [
        {
          mark: { type: "line", strokeWidth: 2 },
          encoding: { order: { field: "percent", type: "quantitative" } },
        },
        {
          mark: { type: "point", filled: true, size: 60, opacity: 0 },
          encoding: {
            tooltip: [
              { field: "series", title: "series" },
              { field: "text", title: "share" },
            ],
          },
        },
      ],
    },
  };
}
