import { formatChange, formatChangeRange } from "../format.js";
import { changeOf } from "../point-statistics.js";
import { type Recommendation, recommendationFor } from "../recommendation.js";
import { baselineWords } from "../recommendation-words.js";
import { pointName, shortNameOf } from "../setting-words.js";
import { type Chart, CONTAINER, NO_SERIES } from "./chart.js";
import { axisLabel, inOrder, seriesScale, type SweepSlice } from "./sweep-slice.js";

/**
 * Relative change of the judged metric from the baseline, point by point, with paired intervals: the evidence
 * for the verdict. An interval that crosses the zero line is no detectable difference.
 */
export function gainOverBaselineChart(slice: SweepSlice, found: Recommendation): Chart {
  const { judgedBy } = found;
  const values = slice.points.flatMap((point) => {
    const { baseline } = recommendationFor(point, found);
    const relative = changeOf(point, baseline, judgedBy)?.relative;
    if (relative == null) return [];
    const { mean, low, high } = relative;
    return {
      x: axisLabel(point.settings[slice.axis.setting]),
      series: slice.series === null ? NO_SERIES : axisLabel(point.settings[slice.series.setting]),
      change: mean * 100,
      low: low === null ? null : low * 100,
      high: high === null ? null : high * 100,
      recommended: point === found.point,
      point: pointName(point.settings),
      text: formatChange(mean),
      interval: low === null || high === null ? "one seed" : `${formatChangeRange(low, high)} %`,
    };
  });
  const hasIntervals = values.some(({ low }) => low !== null);
  const setting = shortNameOf(slice.axis.setting);
  const scale = seriesScale(slice);
  const intervalLayer = {
    mark: { type: "rule", strokeWidth: 3, opacity: 0.45 },
    encoding: { y: { field: "low", type: "quantitative" }, y2: { field: "high" } },
  } as const;
  return {
    id: "gain",
    title: `Change of ${judgedBy.label} over ${baselineWords(found.baseline)}`,
    caption:
      `${judgedBy.better === "higher" ? "Up" : "Down"} is better.` +
      (hasIntervals
        ? " Bars are 95 % intervals, paired by seed: one that crosses the line at 0 is no detectable difference."
        : " One seed, so no intervals."),
    spec: {
      ...CONTAINER,
      height: 260,
      data: { values },
      layer: [
        {
          mark: { type: "rule", strokeDash: [4, 3], aria: false },
          encoding: { y: { datum: 0, type: "quantitative" } },
        },
        {
          encoding: {
            x: {
              field: "x",
              type: "ordinal",
              sort: [...inOrder(slice.axis)],
              title: setting,
              axis: { labelAngle: 0, labelOverlap: "greedy", labelSeparation: 6, labelLimit: 110 },
              scale: { type: "band" },
            },
            xOffset: { field: "series", type: "nominal", sort: null, scale: { paddingOuter: 0.6 } },
            color: { field: "series", type: "nominal", sort: null, legend: null, scale },
          },
          layer: [
            ...(hasIntervals ? [intervalLayer] : []),
            {
              mark: { type: "point", filled: true, size: 65, opacity: 1 },
              encoding: {
                y: {
                  field: "change",
                  type: "quantitative",
                  title: "change, %",
                  axis: { tickCount: 5, grid: true, format: ",.4~r" },
                  scale: { nice: true },
                },
                shape: { field: "series", type: "nominal", sort: null, legend: null, scale },
                tooltip: [
                  { field: "point", title: "point" },
                  { field: "text", title: `change of ${judgedBy.label}` },
                  { field: "interval", title: "95 % interval" },
                ],
              },
            },
            {
              mark: {
                type: "point",
                filled: false,
                size: 240,
                strokeWidth: 2,
                shape: "circle",
                tooltip: null,
              },
              encoding: { y: { field: "change", type: "quantitative" } },
              transform: [{ filter: "datum.recommended" }],
            },
          ],
        },
      ],
    },
  };
}
