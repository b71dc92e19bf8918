import type { SweepPoint } from "../../sweep/sweep-result.js";
import { formatShare } from "../format.js";
import { summariesOf } from "../point-statistics.js";
import { pointName } from "../setting-words.js";
import { type Chart, CONTAINER } from "./chart.js";

/** A point of a sweep and what the chart calls it. */
export interface NamedPoint {
  readonly name: string;
  readonly point: SweepPoint;
}

const ROW_HEIGHT = 26;

/** Share of time each worker is busy, side by side for a few points. Even dots = a balanced leg. */
export function workerLoadChart(points: readonly NamedPoint[]): Chart {
  const values = points.flatMap(({ name, point }) =>
    loadOf(point).map((worker) => ({ series: name, point: pointName(point.settings), ...worker })),
  );
  const workers = new Set(values.map(({ worker }) => worker)).size;
  return {
    id: "worker-load",
    title: "Load per worker",
    caption:
      "Share of the run in which a worker was busy, mean over seeds. Dots in line = an evenly loaded leg.",
    spec: {
      ...CONTAINER,
      height: ROW_HEIGHT * Math.max(2, workers),
      data: { values },
      encoding: {
        y: {
          field: "worker",
          type: "nominal",
          sort: null,
          title: null,
          axis: { labelLimit: 110, grid: true },
        },
        x: {
          field: "busy",
          type: "quantitative",
          title: "busy, %",
          scale: { domain: [0, 100] },
          axis: { tickCount: 5 },
        },
        color: { field: "series", type: "nominal", sort: null, legend: null },
        shape: { field: "series", type: "nominal", sort: null, legend: null },
        tooltip: [
          { field: "series", title: "point" },
          { field: "worker", title: "worker" },
          { field: "busyText", title: "busy" },
          { field: "requests", title: "requests" },
          { field: "kvPeak", title: "KV peak" },
        ],
      },
      mark: { type: "point", filled: true, size: 110, opacity: 0.9 },
    },
  };
}

/** Means over the seeds; workers in the order of the run. */
function loadOf(point: SweepPoint) {
  const summaries = summariesOf(point);
  const mean = (read: (i: number) => number) =>
    summaries.reduce((sum, _, i) => sum + read(i), 0) / summaries.length;
  return (summaries[0]?.workers ?? []).map(({ id }, w) => {
    const busy = mean((i) => summaries[i]!.workers[w]!.utilization);
    return {
      worker: id,
      busy: busy * 100,
      busyText: formatShare(busy),
      requests: Math.round(mean((i) => summaries[i]!.workers[w]!.requests)),
      kvPeak: formatShare(mean((i) => summaries[i]!.workers[w]!.kv_peak)),
    };
  });
}
