import type { Comparison } from "../comparison/compare.js";
import { OUTCOME_WORDS, outcomeOf } from "../comparison/comparison-words.js";
import { formatChange, formatChangeRange } from "../format.js";
import { type Chart, CONTAINER } from "./chart.js";

/** Changes beyond this share would press all others together on a straight axis. */
const STRAIGHT_UP_TO = 1.5;
const ROW_HEIGHT = 22;
/** Only where a row has an interval: Vega complains of a scale over nothing. */
const intervalLayer = () => ({
  mark: { type: "rule" as const, strokeWidth: 4 },
  transform: [{ filter: "isValid(datum.low)" }],
  encoding: { x: { field: "low", type: "quantitative" as const }, x2: { field: "high" } },
});

/** Relative change of every metric with its interval, a row each: what differs, by how much, how surely. */
export function differenceIntervalsChart({ baseline, others }: Comparison): Chart {
  const values = others.flatMap(({ side, differences }) =>
    differences.flatMap((one) => {
      if (one.relative === null) return [];
      const { mean, low, high } = one.relative;
      const outcome = outcomeOf(one);
      return {
        metric: rowName(one.metric.label),
        run: side.name,
        change: mean * 100,
        low: low === null ? null : low * 100,
        high: high === null ? null : high * 100,
        text: formatChange(mean),
        interval: low === null || high === null ? "none" : `${formatChangeRange(low, high)} %`,
        outcome: OUTCOME_WORDS[outcome],
        detectable: outcome === "better" || outcome === "worse",
      };
    }),
  );
  const hasIntervals = values.some(({ low }) => low !== null);
  const metrics = [...new Set(values.map(({ metric }) => metric))];
  const largest = Math.max(
    0,
    ...values.flatMap(({ change, low, high }) => [change, low ?? 0, high ?? 0].map(Math.abs)),
  );
  const scale =
    largest > 100 * STRAIGHT_UP_TO
      ? ({ type: "symlog", constant: 10 } as const)
      : ({ type: "linear" } as const);
  return {
    id: "differences",
    title: `Change of every figure from ${baseline.name}`,
    caption:
      "Bars are 95 % intervals: one that crosses the line at 0 is no detectable difference, and is drawn pale. " +
      `A point without a bar has no interval.${scale.type === "symlog" ? " The axis is logarithmic away from 0." : ""}`,
    spec: {
      ...CONTAINER,
      height: Math.max(3, metrics.length) * (ROW_HEIGHT + 8 * (others.length - 1)),
      data: { values },
      layer: [
        {
          mark: { type: "rule", strokeDash: [4, 3], aria: false },
          encoding: { x: { datum: 0, type: "quantitative" } },
        },
        {
          encoding: {
            y: {
              field: "metric",
              type: "nominal",
              // Without intervals first, or last, otherwise: the layer of intervals does not have all rows.
              sort: metrics,
              title: null,
              axis: { labelLimit: 150, grid: true },
            },
            yOffset: { field: "run", type: "nominal", sort: null, scale: { paddingOuter: 0.5 } },
            color: { field: "run", type: "nominal", sort: null, legend: null },
            opacity: { condition: { test: "datum.detectable", value: 1 }, value: 0.45 },
          },
          layer: [
            ...(hasIntervals ? [intervalLayer()] : []),
            {
              mark: { type: "point", filled: true, size: 60 },
              encoding: {
                x: {
                  field: "change",
                  type: "quantitative",
                  title: "change, %",
                  scale,
                  axis: { tickCount: 7 },
                },
                shape: { field: "run", type: "nominal", sort: null, legend: null },
                tooltip: [
                  { field: "metric", title: "figure" },
                  { field: "run", title: "run" },
                  { field: "text", title: "change" },
                  { field: "interval", title: "95 % interval" },
                  { field: "outcome", title: "verdict" },
                ],
              },
            },
          ],
        },
      ],
    },
  };
}

/** Without what is in brackets: on a narrow screen names would take the place of the chart. */
function rowName(label: string): string {
  return label.replace(/ \(.*\)$/, "");
}
