import type { SweepAxis, SweepPoint } from "../../sweep/sweep-result.js";
import { capitalised } from "../format.js";
import { formatMetric, formatMetricWithUnit, type Metric } from "../metrics.js";
import { statisticsOf } from "../point-statistics.js";
import { pointName, shortNameOf } from "../setting-words.js";
import { type Chart, CONTAINER } from "./chart.js";
import { axisLabel, inOrder } from "./sweep-slice.js";

/** Cells narrower than this many to a row have no room for their figure. */
const COLUMNS_WITH_TEXT = 9;
const ROW_HEIGHT = 34;

/** A metric over two settings at once, the rest held; a frame marks the recommended point. */
export function heatMapChart(
  columns: SweepAxis,
  rows: SweepAxis,
  points: readonly SweepPoint[],
  metric: Metric,
  recommended: SweepPoint,
): Chart {
  const means = points.flatMap((point) => statisticsOf(point, metric)?.mean ?? []);
  const middle = (Math.min(...means) + Math.max(...means)) / 2;
  const best = metric.better === "higher" ? Math.max(...means) : Math.min(...means);
  const values = points.flatMap((point) => {
    const mean = statisticsOf(point, metric)?.mean;
    if (mean === undefined) return [];
    return {
      column: axisLabel(point.settings[columns.setting]),
      row: axisLabel(point.settings[rows.setting]),
      mean,
      text: formatMetric(metric, mean),
      dark: best >= middle === mean >= middle,
      point: pointName(point.settings),
      value: formatMetricWithUnit(metric, mean),
      recommended: point === recommended,
    };
  });
  const withText = columns.values.length <= COLUMNS_WITH_TEXT;
  return {
    id: "heat-map",
    title: `${capitalised(metric.label)} by ${shortNameOf(columns.setting)} and ${shortNameOf(rows.setting)}`,
    caption:
      `${metric.unit === "" ? "" : `In ${metric.unit}; `}a row for each ${shortNameOf(rows.setting)}. ` +
      "Darker is better. The frame marks the recommended point.",
    spec: {
      ...CONTAINER,
      height: ROW_HEIGHT * rows.values.length,
      data: { values },
      encoding: {
        x: {
          field: "column",
          type: "ordinal",
          sort: [...inOrder(columns)],
          title: shortNameOf(columns.setting),
          axis: { labelAngle: 0, labelOverlap: "greedy", labelSeparation: 6 },
        },
        y: {
          field: "row",
          type: "ordinal",
          sort: [...inOrder(rows)],
          title: null,
          axis: { labelLimit: 110 },
        },
      },
      layer: [
        {
          mark: { type: "rect" },
          encoding: {
            color: {
              field: "mean",
              type: "quantitative",
              legend: null,
              scale: {
                scheme: { name: "blues", extent: [0.05, 0.85] },
                reverse: metric.better === "lower",
                zero: false,
                nice: false,
              },
            },
            tooltip: [
              { field: "point", title: "point" },
              { field: "value", title: metric.label },
            ],
          },
        },
        {
          mark: { type: "rect", filled: false, strokeWidth: 3, stroke: "#d55e00", tooltip: null },
          transform: [{ filter: "datum.recommended" }],
        },
        ...(withText
          ? [
              {
                mark: { type: "text" as const, tooltip: null },
                encoding: {
                  text: { field: "text" },
                  color: { condition: { test: "datum.dark", value: "#ffffff" }, value: "#10243c" },
                },
              },
            ]
          : []),
      ],
    },
  };
}
