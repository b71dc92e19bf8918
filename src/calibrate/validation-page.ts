import { formatNumber } from "../report/format.js";
import { type Chart, CONTAINER } from "../report/charts/chart.js";
import { latencyDistributionChart, seriesOf } from "../report/charts/latency-distribution.js";
import { escapeHtml } from "../report/html/escape.js";
import { chartGrid, htmlPage, legend, sortableTable } from "../report/html/page.js";
import type { RunComparison } from "./compare-runs.js";
import { comparisonRows, formatError } from "./comparison-text.js";
import type { MeasuredRun, TimelineSample } from "./measured-run.js";
import type { SimulatedRun } from "./simulate-run.js";

const SERIES = ["measured", "predicted"] as const;

/** A page with measured and predicted distributions and timelines over each other. */
export async function validationPage(
  title: string,
  comparison: RunComparison,
  run: MeasuredRun,
  simulated: SimulatedRun,
): Promise<string> {
  const notes = comparison.notes.map((note) => `<p class="note">${escapeHtml(note)}</p>`).join("\n");
  const body = `<h1>${escapeHtml(title)}</h1>
<p>${comparison.requests} requests, profile ${escapeHtml(comparison.profile)}. The model was given the run's
arrivals, lengths and prompts; everything it says of times is predicted.</p>
${legend(SERIES, "bar")}
<h2>Latencies</h2>
${chartGrid(latencyCharts(run, simulated), "pairs")}
<h2>Over time</h2>
${chartGrid(timelineCharts(run, simulated), "pairs")}
<h2>Figures</h2>
${comparisonTable(comparison)}
<h2>Assumptions</h2>
${notes}`;
  return htmlPage(title, body);
}

function latencyCharts(run: MeasuredRun, simulated: SimulatedRun): Chart[] {
  const from = run.startsAt === "queue" ? "the engine's queue" : "the client's send";
  const chart = (id: string, title: string, caption: string, column: "ttftMs" | "tpotMs" | "e2eMs"): Chart =>
    latencyDistributionChart(id, title, caption, [
      seriesOf(SERIES[0], [...run.requests[column]]),
      seriesOf(SERIES[1], [...simulated.requests[column]]),
    ]);
  return [
    chart("ttft", "Time to first token", `From ${from} to the first token.`, "ttftMs"),
    chart("tpot", "Time per output token", "Mean gap between the tokens of a request.", "tpotMs"),
    chart("e2e", "End-to-end latency", `From ${from} to the last token.`, "e2eMs"),
  ];
}

function timelineCharts(run: MeasuredRun, simulated: SimulatedRun): Chart[] {
  if (run.timeline.length === 0) return [];
  const charts = [
    timelineChart("running", "Requests running", run.timeline, simulated.timeline, (s) => s.running),
    timelineChart("waiting", "Requests waiting", run.timeline, simulated.timeline, (s) => s.waiting),
  ];
  if (run.timeline.some((sample) => !Number.isNaN(sample.kvUsage))) {
    const usage = (sample: TimelineSample): number => sample.kvUsage * 100;
    charts.push(timelineChart("kv", "KV cache in use, %", run.timeline, simulated.timeline, usage));
  }
  return charts;
}

function timelineChart(
  id: string,
  title: string,
  measured: readonly TimelineSample[],
  predicted: readonly TimelineSample[],
  of: (sample: TimelineSample) => number,
): Chart {
  const values = [measured, predicted].flatMap((samples, i) =>
    samples.map((sample) => ({ series: SERIES[i], seconds: sample.atMs / 1e3, value: of(sample) })),
  );
  return {
    id,
    title,
    caption: "Sampled once a second.",
    spec: {
      ...CONTAINER,
      height: 220,
      data: { values },
      mark: { type: "line", strokeWidth: 2 },
      encoding: {
        x: { field: "seconds", type: "quantitative", title: "s" },
        y: { field: "value", type: "quantitative", title: null },
        color: { field: "series", type: "nominal", sort: null, legend: null },
      },
    },
  };
}

function comparisonTable(comparison: RunComparison): string {
  const columns = ["", "measured", "predicted", "error"].map((header, i) => ({ header, isText: i === 0 }));
  const rows = comparisonRows(comparison).map(([name, { measured, predicted, error_pct }]) => ({
    isMarked: false,
    cells: [
      { text: name, sortBy: name },
      { text: formatNumber(measured), sortBy: measured ?? "" },
      { text: formatNumber(predicted), sortBy: predicted ?? "" },
      { text: formatError(error_pct), sortBy: error_pct ?? "" },
    ],
  }));
  return sortableTable(columns, rows);
}
