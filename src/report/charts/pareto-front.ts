import type { SweepPoint } from "../../sweep/sweep-result.js";
import { formatMetricWithUnit, metricNamed } from "../metrics.js";
import { PARETO_METRICS, type ParetoPoint, paretoPoints } from "../pareto.js";
import { statisticsOf } from "../point-statistics.js";
import { alwaysDisaggregates, pointName } from "../setting-words.js";
import { type Chart, CONTAINER, NO_SERIES } from "./chart.js";
import { axisLabel, seriesScale, type SweepSlice } from "./sweep-slice.js";

const GOODPUT = metricNamed("goodput");
const HIT_RATE = metricNamed("hit_rate");
/** Beyond this ratio of largest to smallest, a straight axis would press most points into a corner. */
const LOG_BEYOND = 20;

/** Points by TTFT and ITL: what routing trades against what. The line joins points that nothing beats in both. */
export function paretoFrontChart(
  shown: readonly SweepPoint[],
  slice: SweepSlice | null,
  recommended: SweepPoint,
  baseline: SweepPoint,
): Chart {
  const points = paretoPoints(shown);
  const scale = seriesScale(slice);
  const label = (point: SweepPoint) =>
    point === recommended
      ? "recommended"
      : point !== baseline
        ? null
        : alwaysDisaggregates(point.settings)
          ? "always-disaggregate"
          : "baseline";
  const values = points.map((one) => ({
    ttft: one.ttftMs,
    itl: one.itlMs,
    series: slice?.series ? axisLabel(one.point.settings[slice.series.setting]) : NO_SERIES,
    front: one.isOnFront,
    point: pointName(one.point.settings),
    ttftText: formatMetricWithUnit(PARETO_METRICS.ttft, one.ttftMs),
    itlText: formatMetricWithUnit(PARETO_METRICS.itl, one.itlMs),
    goodput: formatMetricWithUnit(GOODPUT, statisticsOf(one.point, GOODPUT)?.mean ?? null),
    hits: formatMetricWithUnit(HIT_RATE, statisticsOf(one.point, HIT_RATE)?.mean ?? null),
    label: label(one.point),
  }));
  const middle = middleOf(points);
  const labels = points.flatMap(({ point, ttftMs }) => {
    const text = label(point);
    return text === null
      ? []
      : { label: text, isLeft: ttftMs < middle, isRecommended: point === recommended };
  });
  const front = points.filter(({ isOnFront }) => isOnFront).length;
  return {
    id: "pareto",
    title: "TTFT against ITL",
    caption:
      `Down and left is better. ${front} of ${points.length} points are on the front (line, full colour): ` +
      "to gain in one latency from there, the other must give.",
    spec: {
      ...CONTAINER,
      height: 380,
      data: { values },
      encoding: {
        x: {
          field: "ttft",
          type: "quantitative",
          title: "TTFT p90, ms",
          scale: scaleFor(points, "ttftMs"),
          axis: { tickCount: 6, format: ",.4~r" },
        },
        y: {
          field: "itl",
          type: "quantitative",
          title: "ITL p90, ms",
          scale: scaleFor(points, "itlMs"),
          axis: { tickCount: 6, format: ",.4~r" },
        },
      },
      layer: [
        {
          mark: {
            type: "line",
            interpolate: "step-after",
            strokeWidth: 1.5,
            strokeDash: [5, 4],
            opacity: 0.7,
          },
          transform: [{ filter: "datum.front" }],
          encoding: { order: { field: "ttft", type: "quantitative" } },
        },
        {
          mark: { type: "point", filled: true, size: 80 },
          encoding: {
            color: { field: "series", type: "nominal", sort: null, legend: null, scale },
            shape: { field: "series", type: "nominal", sort: null, legend: null, scale },
            opacity: { condition: { test: "datum.front", value: 1 }, value: 0.45 },
            tooltip: [
              { field: "point", title: "point" },
              { field: "ttftText", title: "TTFT p90" },
              { field: "itlText", title: "ITL p90" },
              { field: "goodput", title: "goodput" },
              { field: "hits", title: "cache hits" },
            ],
          },
        },
        {
          mark: { type: "point", filled: false, size: 300, strokeWidth: 2, shape: "circle", tooltip: null },
          transform: [{ filter: "isValid(datum.label)" }],
        },
        ...labels.flatMap(labelLayers),
      ],
    },
  };
}

/** Where the middle of the axis of TTFT is, ms. */
function middleOf(points: readonly ParetoPoint[]): number {
  const values = points.map(({ ttftMs }) => ttftMs);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return scaleFor(points, "ttftMs").type === "log" ? Math.sqrt(low * high) : (low + high) / 2;
}

/**
 * The name of a ringed point: it begins at its ring and runs towards the middle, so that it crosses no axis; the recommended
 * one's is above and the baseline's below, so that they do not cross each other.
 */
function labelLayers({
  label,
  isLeft,
  isRecommended,
}: {
  label: string;
  isLeft: boolean;
  isRecommended: boolean;
}) {
  return ["halo", "text"].map((style) => ({
    mark: {
      type: "text" as const,
      style,
      align: isLeft ? ("left" as const) : ("right" as const),
      dx: isLeft ? -9 : 9,
      dy: isRecommended ? -18 : 20,
      fontWeight: "bold" as const,
      tooltip: null,
    },
    transform: [{ filter: `datum.label === '${label}'` }],
    encoding: { text: { field: "label" } },
  }));
}

function scaleFor(points: readonly ParetoPoint[], field: "ttftMs" | "itlMs") {
  const values = points.map((point) => point[field]);
  const isWide = Math.min(...values) > 0 && Math.max(...values) > LOG_BEYOND * Math.min(...values);
  return isWide
    ? ({ type: "log", nice: true } as const)
    : ({ type: "linear", zero: false, nice: true, padding: 20 } as const);
}
