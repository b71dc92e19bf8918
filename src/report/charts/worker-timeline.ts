import type { WorkerSample } from "../run-files-reader.js";
import { type Chart, CONTAINER } from "./chart.js";
import { BESIDE_TIME, TIME_AXIS, timeScale } from "./time-axis.js";

/** Samples of one worker in one chart at most; longer runs show the mean of neighbouring samples. */
const SAMPLES_AT_MOST = 100;

/** What a timeline shows of a worker. */
export interface TimelineMeasure {
  readonly id: "running" | "waiting" | "kv-use";
  readonly title: string;
  readonly caption: string;
  readonly axisTitle: string;
  read(sample: WorkerSample): number;
}

/** The charts of a run, for each leg. */
export const TIMELINE_MEASURES: readonly TimelineMeasure[] = [
  {
    id: "running",
    title: "Running requests",
    caption: "Lines far apart = an unevenly loaded leg.",
    axisTitle: "requests",
    read: ({ running }) => running,
  },
  {
    id: "waiting",
    title: "Waiting requests",
    caption: "A queue that grows = the leg is too small for its load.",
    axisTitle: "requests",
    read: ({ waiting }) => waiting,
  },
  {
    id: "kv-use",
    title: "KV cache in use",
    caption: "At 100 % requests wait for blocks or are preempted.",
    axisTitle: "%",
    read: ({ kvUsage }) => kvUsage * 100,
  },
];

/** One measure over the run, up to `endS`, for the workers of a leg, a line each. */
export function workerTimelineChart(
  measure: TimelineMeasure,
  leg: string,
  samples: readonly WorkerSample[],
  endS: number,
): Chart {
  const together = Math.ceil(
    samples.length / new Set(samples.map(({ worker }) => worker)).size / SAMPLES_AT_MOST,
  );
  const values = thinned(samples, together, measure);
  return {
    id: `timeline-${measure.id}-${leg}`,
    title: `${measure.title}: ${leg}`,
    caption: together > 1 ? `${measure.caption} Means of ${together} neighbouring samples.` : measure.caption,
    isOverTime: true,
    spec: {
      ...CONTAINER,
      height: 180,
      data: { values },
      mark: { type: "line", strokeWidth: 1.4, opacity: 0.85, clip: true },
      encoding: {
        x: {
          field: "time_s",
          type: "quantitative",
          title: "time, s",
          scale: timeScale(endS),
          axis: TIME_AXIS,
        },
        y: {
          field: "value",
          type: "quantitative",
          title: measure.axisTitle,
          axis: { ...BESIDE_TIME, tickCount: 4 },
        },
        color: { field: "worker", type: "nominal", sort: null, legend: null },
        tooltip: [{ field: "worker", title: "worker" }],
      },
    },
  };
}

/** Means over equal numbers of neighbouring samples of each worker. */
function thinned(samples: readonly WorkerSample[], together: number, measure: TimelineMeasure) {
  const byWorker = new Map<string, WorkerSample[]>();
  for (const sample of samples) {
    const held = byWorker.get(sample.worker);
    if (held === undefined) byWorker.set(sample.worker, [sample]);
    else held.push(sample);
  }
  return [...byWorker].flatMap(([worker, own]) => {
    return Array.from({ length: Math.ceil(own.length / together) }, (_, i) => {
      const group = own.slice(i * together, (i + 1) * together);
      const sum = group.reduce((total, sample) => total + measure.read(sample), 0);
      return { worker, time_s: group[0]!.timeS, value: rounded(sum / group.length) };
    });
  });
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
