import type { ComparedSide, Comparison } from "../comparison/compare.js";
import type { Side } from "../comparison/compared-runs.js";
import { sidesOf } from "../comparison/comparison-files.js";
import { type Chart, hasRows } from "./chart.js";
import { differenceIntervalsChart } from "./difference-intervals.js";
import { differenceOverTimeChart } from "./difference-over-time.js";
import { latencyDistributionChart, seriesOf } from "./latency-distribution.js";
import { workerSharesChart } from "./worker-shares.js";

const LATENCIES = [
  { key: "ttftMs", label: "TTFT", of: "requests whose first token came" },
  { key: "tpotMs", label: "TPOT", of: "requests whose mean time per token was" },
  { key: "e2eMs", label: "E2E", of: "requests that ended" },
] as const;

/** How latencies are spread, a line for each side. */
export function sideDistributionCharts(sides: readonly Side[]): readonly Chart[] {
  return LATENCIES.map(({ key, label, of }) =>
    latencyDistributionChart(
      `distribution-${label.toLowerCase()}`,
      `${label} distribution`,
      `Share of ${of} within a time; further left is better.`,
      sides.map(({ name, runs }) =>
        seriesOf(
          name,
          runs.flatMap(({ requests }) => (requests ?? []).map((row) => row[key])),
        ),
      ),
    ),
  ).filter(hasRows);
}

/** Where in the run, and for which requests, a side differs from the baseline; none where they are not paired. */
export function requestDifferenceCharts(
  { baseline, others }: Comparison,
  held: ComparedSide,
): readonly Chart[] {
  const { pairing, side } = held;
  if (pairing.by !== "request") return [];
  const names = { base: baseline.name, other: side.name };
  return LATENCIES.map((latency) =>
    differenceOverTimeChart(
      `difference-${latency.label.toLowerCase()}-${others.indexOf(held)}`,
      pairing.pairs,
      latency,
      names,
    ),
  ).filter(hasRows);
}

/** Every chart of a comparison, in the order of its page. */
export function comparisonCharts(comparison: Comparison): readonly Chart[] {
  const sides = sidesOf(comparison);
  return [
    differenceIntervalsChart(comparison),
    ...sideDistributionCharts(sides),
    ...comparison.others.flatMap((held) => requestDifferenceCharts(comparison, held)),
    workerSharesChart(sides),
  ].filter(hasRows);
}
