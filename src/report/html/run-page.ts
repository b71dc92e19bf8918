import { stringify } from "yaml";
import type { Distribution, Summary } from "../../measure/summary.js";
import {
  breakdownCharts,
  distributionCharts,
  type RunReport,
  timelineCharts,
  type TimelineLeg,
  timelineLegs,
  ttftSeries,
} from "../charts/run-charts.js";
import { branchesOf } from "../charts/decisions-over-time.js";
import { STAGES } from "../charts/time-breakdown.js";
import { capitalised, formatCount, formatDuration, formatNumber, formatShare, MISSING } from "../format.js";
import {
  factsOf,
  isObserved,
  LATENCY_ROWS,
  sloWords,
  STATISTICS,
  withoutWallTime,
} from "../render-summary.js";
import { requestSection } from "./request-section.js";
import { escapeHtml } from "./escape.js";
import type { Card, TableCell } from "./page.js";
import { SERIES_LIGHT } from "./palette.js";
import { cards, chartGrid, definitions, htmlPage, legend, sortableTable } from "./page.js";

/** The report of one run: one HTML file that needs nothing else. */
export async function runPage(run: RunReport): Promise<string> {
  const { summary } = run;
  const lead = `${formatCount(summary.requests.total)} requests in ${formatDuration(summary.duration_s)}.`;
  const body = [
    `<h1>${escapeHtml(run.name)}</h1>`,
    `<p class="lead">Scenario ${escapeHtml(summary.scenario)}: ${escapeHtml(lead)}</p>`,
    `<section class="verdict"><p>${escapeHtml(verdictOf(summary))}</p></section>`,
    cards(cardsOf(summary)),
    latencySection(run),
    breakdownSection(run),
    timelineSection(run),
    requestSection(run.requests, run.decisions),
    workersSection(summary),
    factsSection(summary),
  ];
  return htmlPage(`${run.name}: one run`, body.join("\n"));
}

/** The run in one sentence: goodput, and what stands out most. */
function verdictOf(summary: Summary): string {
  const { goodput, requests, cache } = summary;
  const lost = requests.failed + requests.cancelled;
  const ended =
    lost === 0
      ? ""
      : `; ${formatCount(requests.failed)} failed, ${formatCount(requests.cancelled)} cancelled`;
  const hits =
    cache.hit_rate === null ? "" : `; ${formatShare(cache.hit_rate)} of prompt tokens came from a cache`;
  return (
    `Goodput ${formatNumber(goodput.requests_per_s)} requests/s: ${formatShare(goodput.attainment)} of requests ` +
    `${sloWords(goodput.slo)}${hits}${ended}.`
  );
}

function cardsOf(summary: Summary): readonly Card[] {
  const latency = (label: string, { p50, p90, p99 }: Distribution): Card => ({
    label: `${label} p90`,
    value: formatNumber(p90),
    unit: "ms",
    detail: `p50 ${formatNumber(p50)}, p99 ${formatNumber(p99)}`,
    tone: "plain",
  });
  const plain = (label: string, value: string, unit: string, detail: string): Card => ({
    label,
    value,
    unit,
    detail,
    tone: "plain",
  });
  return [
    plain(
      "Goodput",
      formatNumber(summary.goodput.requests_per_s),
      "requests/s",
      `of ${formatNumber(summary.throughput.requests_per_s)} completed`,
    ),
    latency("TTFT", summary.ttft_ms),
    latency("ITL", summary.itl_ms),
    latency("E2E", summary.e2e_ms),
    plain("Cache hits", formatShare(summary.cache.hit_rate), "", "of prompt tokens"),
    plain("Score", formatNumber(summary.score.value), "of 100", ""),
  ];
}

function latencySection(run: RunReport): string {
  const { summary } = run;
  const rows = LATENCY_ROWS.map(([label, key]) => ({
    isMarked: false,
    cells: [textCell(label), ...STATISTICS.map((statistic) => numberCell(summary[key][statistic]))],
  }));
  const columns = ["ms", ...STATISTICS].map((header, i) => ({ header, isText: i === 0 }));
  return `<h2>Latencies</h2>
${sortableTable(columns, rows)}
${distributionSection(run)}`;
}

function distributionSection(run: RunReport): string {
  if (run.requests === null) return "";
  const names = ttftSeries(run.requests).map(({ name }) => name);
  return `${legend(names, "bar")}\n${chartGrid(distributionCharts(run), "pairs")}`;
}

function breakdownSection(run: RunReport): string {
  const charts = breakdownCharts(run);
  if (charts.length === 0) return "";
  return `<h2>Where time goes</h2>\n${legend(STAGES, "bar")}\n${chartGrid(charts, "pairs")}`;
}

/** A column of charts for each leg, its times below each other. */
function timelineSection(run: RunReport): string {
  const legs = timelineLegs(run);
  if (legs.length === 0) return "";
  return `<h2>Decisions and workers over time</h2>
<p class="note">Every chart has the same time axis: the pointer marks one time in all of them. Pick a worker in a chart to follow it.</p>
<div class="legs">${legs.map(legColumn).join("\n")}</div>`;
}

/** More workers than there are colours share one, and are told apart on hover. */
function legColumn(one: TimelineLeg): string {
  const { leg, workers, decided } = one;
  const branches = branchesOf(decided);
  return `<section><h3>${capitalised(leg)} workers</h3>
${branches.length === 0 ? "" : legend(branches, "bar", "decided by")}
${workers.length <= SERIES_LIGHT.length ? legend(workers, "bar", "worker") : ""}
${chartGrid(timelineCharts(one), "wide")}</section>`;
}

function workersSection({ workers }: Summary): string {
  const headers = [
    "worker",
    "leg",
    "requests",
    "busy",
    "max running",
    "max waiting",
    "KV peak",
    "cache hits",
  ];
  const rows = workers.map((worker) => {
    const ofEngine = (cell: TableCell) => (isObserved(worker) ? cell : { text: MISSING, sortBy: "" });
    return {
      isMarked: false,
      cells: [
        textCell(worker.id),
        textCell(worker.role),
        countCell(worker.requests),
        ofEngine(shareCell(worker.utilization)),
        ofEngine(countCell(worker.max_running)),
        ofEngine(countCell(worker.max_waiting)),
        ofEngine(shareCell(worker.kv_peak)),
        shareCell(worker.hit_rate),
        ofEngine(countCell(worker.preemptions)),
      ],
    };
  });
  const columns = [...headers, "preemptions"].map((header, i) => ({ header, isText: i < 2 }));
  return `<h2>Workers</h2>\n${sortableTable(columns, rows)}`;
}

function factsSection(summary: Summary): string {
  const notes = summary.notes.map((note) => `<li>${escapeHtml(note)}</li>`);
  return `<h2>Figures and settings</h2>
${definitions(factsOf(withoutWallTime(summary)).map(([name, text]) => [name, escapeHtml(text)]))}
${notes.length === 0 ? "" : `<h3>Notes</h3><ul>${notes.join("")}</ul>`}
<details><summary>Every setting in force</summary><pre>${escapeHtml(stringify(summary.settings))}</pre></details>`;
}

function textCell(text: string): TableCell {
  return { text, sortBy: text };
}

function countCell(value: number): TableCell {
  return { text: formatCount(value), sortBy: value };
}

function numberCell(value: number | null): TableCell {
  return { text: formatNumber(value), sortBy: value ?? "" };
}

function shareCell(value: number | null): TableCell {
  return { text: formatShare(value), sortBy: value ?? "" };
}
