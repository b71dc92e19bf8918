import type { SweepPoint } from "../../sweep/sweep-result.js";
import { capitalised } from "../format.js";
import { formatMetricWithUnit, type Metric } from "../metrics.js";
import { statisticsOf } from "../point-statistics.js";
import { pointName, shortNameOf } from "../setting-words.js";
import { type Chart, CONTAINER, NO_SERIES } from "./chart.js";
import { axisLabel, inOrder, isNumeric, seriesScale, type SweepSlice } from "./sweep-slice.js";

/** With more values than this on the axis, intervals are drawn as bands and points small. */
const DENSE_BEYOND = 40;

interface Row {
  x: string;
  series: string;
  mean: number;
  low: number | null;
  high: number | null;
  point: string;
  value: string;
  interval: string;
  recommended: boolean;
}

/** One metric against one swept setting, with its interval over the seeds; a ring marks the recommended point. */
export function sensitivityChart(slice: SweepSlice, metric: Metric, recommended: SweepPoint): Chart {
  const rows = rowsOf(slice, metric, recommended);
  const setting = shortNameOf(slice.axis.setting);
  const scale = seriesScale(slice);
  const unit = metric.isShare ? "%" : metric.unit;
  const line = isNumeric(slice.axis) ? [{ mark: { type: "line" as const, strokeWidth: 2 } }] : [];
  const isDense = isNumeric(slice.axis) && slice.axis.values.length > DENSE_BEYOND;
  const hasIntervals = rows.some(({ low }) => low !== null);
  const intervals = (hasIntervals ? ["low"] : []).map((field) => ({
    mark: isDense
      ? { type: "area" as const, opacity: 0.18, line: false }
      : { type: "rule" as const, strokeWidth: 1.5, opacity: 0.6 },
    encoding: { y: { field, type: "quantitative" as const }, y2: { field: "high" } },
    transform: [{ filter: "isValid(datum.low)" }],
  }));
  const tooltip = [
    { field: "point", title: "point" },
    { field: "value", title: metric.label },
    { field: "interval", title: "95 % interval" },
  ];
  return {
    id: `sensitivity-${setting}-${metric.name}`.replaceAll(/[^a-zA-Z0-9]+/g, "-"),
    title: `${capitalised(metric.label)} ${isNumeric(slice.axis) ? "against" : "by"} ${setting}`,
    caption: `${metric.better === "higher" ? "Higher" : "Lower"} is better.`,
    spec: {
      ...CONTAINER,
      height: 220,
      data: { values: rows },
      encoding: {
        x: {
          field: "x",
          type: "ordinal",
          sort: [...inOrder(slice.axis)],
          title: setting,
          axis: { labelAngle: 0, labelOverlap: "greedy", labelSeparation: 6, labelLimit: 110 },
          scale: { type: "point", padding: 0.5 },
        },
        color: { field: "series", type: "nominal", sort: null, legend: null, scale },
      },
      layer: [
        ...intervals,
        ...line.map(({ mark }) => ({
          mark,
          encoding: { y: { field: "mean", type: "quantitative" as const } },
        })),
        {
          mark: { type: "point", filled: true, size: isDense ? 14 : 55, opacity: 1 },
          encoding: {
            y: {
              field: "mean",
              type: "quantitative",
              title: unit === "" ? null : unit,
              scale: { zero: false, nice: true },
              axis: { tickCount: 5, format: ",.4~r" },
            },
            shape: { field: "series", type: "nominal", sort: null, legend: null, scale },
            tooltip,
          },
        },
        {
          mark: { type: "point", filled: false, size: 240, strokeWidth: 2, shape: "circle", tooltip: null },
          encoding: { y: { field: "mean", type: "quantitative" } },
          transform: [{ filter: "datum.recommended" }],
        },
      ],
    },
  };
}

function rowsOf({ axis, series, points }: SweepSlice, metric: Metric, recommended: SweepPoint): Row[] {
  const scale = metric.isShare ? 100 : 1;
  return points.flatMap((point) => {
    const statistics = statisticsOf(point, metric);
    if (statistics === null) return [];
    const { mean, low, high } = statistics;
    return {
      x: axisLabel(point.settings[axis.setting]),
      series: series === null ? NO_SERIES : axisLabel(point.settings[series.setting]),
      mean: mean * scale,
      low: low === null ? null : low * scale,
      high: high === null ? null : high * scale,
      point: pointName(point.settings),
      value: formatMetricWithUnit(metric, mean),
      interval:
        low === null
          ? "one seed"
          : `${formatMetricWithUnit(metric, low)} to ${formatMetricWithUnit(metric, high)}`,
      recommended: point === recommended,
    };
  });
}
