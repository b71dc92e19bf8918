import { formatShare } from "../format.js";
import type { Side } from "../comparison/compared-runs.js";
import { type Chart, CONTAINER } from "./chart.js";

/** Each worker's share of the requests of its leg, run by run; workers are matched by their place in the fleet. */
export function workerSharesChart(sides: readonly Side[]): Chart {
  const values = sides.flatMap(({ name, runs }) =>
    (["prefill", "decode"] as const).flatMap((leg) => {
      const own = runs[0]!.summary.workers.filter(({ role }) => role === leg);
      const total = own.reduce((sum, { requests }) => sum + requests, 0);
      if (total === 0) return [];
      return own.map(({ id, requests }, place) => ({
        worker: `${leg} ${place}`,
        run: name,
        percent: (requests / total) * 100,
        text: `${formatShare(requests / total)} of ${total} requests`,
        id,
      }));
    }),
  );
  const workers = new Set(values.map(({ worker }) => worker)).size;
  return {
    id: "worker-shares",
    title: "Requests per worker",
    caption: "Share of its leg's requests that a worker got. Dots in line = an evenly used leg.",
    spec: {
      ...CONTAINER,
      height: Math.max(2, workers) * 24,
      data: { values },
      mark: { type: "point", filled: true, size: 90, opacity: 0.9 },
      encoding: {
        y: { field: "worker", type: "nominal", sort: null, title: null, axis: { grid: true } },
        x: {
          field: "percent",
          type: "quantitative",
          title: "share of the leg, %",
          scale: { zero: true },
          axis: { tickCount: 6 },
        },
        color: { field: "run", type: "nominal", sort: null, legend: null },
        shape: { field: "run", type: "nominal", sort: null, legend: null },
        tooltip: [
          { field: "run", title: "run" },
          { field: "id", title: "worker" },
          { field: "text", title: "share" },
        ],
      },
    },
  };
}
