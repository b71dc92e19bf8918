import { stringify } from "yaml";
import type { SweepResult } from "../../sweep/sweep-result.js";
import type { SweepSlice } from "../charts/sweep-slice.js";
import { axisLabel } from "../charts/sweep-slice.js";
import { type Sensitivity, type SweepCharts, sweepChartsOf } from "../charts/sweep-charts.js";
import { conditionWords } from "../conditions.js";
import { capitalised, formatChange, formatChangeInterval, formatCount } from "../format.js";
import type { Metric } from "../metrics.js";
import { formatMetric, metricNamed, TABLE_METRICS } from "../metrics.js";
import {
  changeOf,
  failuresOf,
  isDetectableChange,
  statisticsOf,
  stoppedOf,
  summariesOf,
} from "../point-statistics.js";
import type { Recommendation } from "../recommendation.js";
import { isImprovement, recommendationFor } from "../recommendation.js";
import { baselineWords } from "../recommendation-words.js";
import { sloWords } from "../render-summary.js";
import { pointName, RUN_AXIS, settingsFlags, shortNameOf, valueWords } from "../setting-words.js";
import { escapeHtml } from "./escape.js";
import type { Card, TableCell, TableColumn } from "./page.js";
import { cards, chartGrid, definitions, htmlPage, legend, sortableTable } from "./page.js";

const CARD_METRICS = ["goodput", "ttft_ms.p90", "itl_ms.p90", "hit_rate", "attainment", "score"].map(
  metricNamed,
);

/** The report of a sweep, or of several runs side by side: one HTML file that needs nothing else. */
export async function sweepPage(sweep: SweepResult, recommendation: Recommendation | null): Promise<string> {
  const title = `${sweep.name}: which settings to run`;
  const body = [
    `<h1>${escapeHtml(sweep.name)}</h1>`,
    `<p class="lead">${escapeHtml(leadOf(sweep))}</p>`,
    verdictSection(recommendation?.words ?? ["No recommendation: no point has a result."]),
    ...(recommendation === null ? [] : resultSections(sweep, recommendation)),
    pointsSection(sweep, recommendation),
    provenanceSection(sweep, recommendation),
    SELECTION,
  ];
  return htmlPage(title, body.join("\n"));
}

/** Says what point is selected, above the lower edge of the screen. */
export const SELECTION = `<div id="selection" role="status" hidden>
<p><b class="name"></b> <span class="figures"></span></p>
<p><code></code> <button type="button" class="copy">copy</button> <button type="button" class="clear">clear (Esc)</button></p>
</div>`;

/** How much was run, and when a request is good. */
export function leadOf(sweep: SweepResult): string {
  const points = sweep.points.length === 1 ? "1 point" : `${formatCount(sweep.points.length)} points`;
  const seeds = sweep.seeds.length === 1 ? "1 seed" : `${sweep.seeds.length} seeds`;
  const [first] = sweep.points.flatMap(summariesOf);
  const workload =
    first === undefined
      ? ""
      : ` of ${formatCount(first.requests.total)} requests; a request is good when all ${sloWords(first.goodput.slo)}`;
  return `${points} x ${seeds}${workload.replace("all meet", "it meets").replace("all complete", "it completes")}.`;
}

/** The answer, and below it what to know about it. */
export function verdictSection(all: readonly string[]): string {
  const [headline, ...rest] = all.map(escapeHtml);
  const list = rest.length === 0 ? "" : `<ul>${rest.map((words) => `<li>${words}</li>`).join("")}</ul>`;
  return `<section class="verdict"><p>${headline!}</p>${list}</section>`;
}

function resultSections(sweep: SweepResult, found: Recommendation): readonly string[] {
  const charts = sweepChartsOf(sweep, found);
  return [
    cards(CARD_METRICS.map((metric) => cardOf(metric, found))),
    gainSection(charts),
    ...charts.sensitivities.map((one) => sensitivitySection(sweep, one)),
    heatMapSection(charts),
    paretoSection(charts, found),
    distributionSection(charts),
    loadSection(charts),
    decisionSection(charts),
  ];
}

function cardOf(metric: Metric, { point, baseline }: Recommendation): Card {
  const value = formatMetric(metric, statisticsOf(point, metric)?.mean ?? null);
  const card = { label: capitalised(metric.label), value, unit: metric.unit };
  const base = formatMetric(metric, statisticsOf(baseline, metric)?.mean ?? null);
  const change = point === baseline ? null : changeOf(point, baseline, metric);
  if (change?.relative == null) return { ...card, detail: "", tone: "plain" };
  const { mean, low, high } = change.relative;
  if (low === null || high === null) {
    return { ...card, detail: `${formatChange(mean)} from ${base}, one seed`, tone: "plain" };
  }
  if (!isDetectableChange(change)) {
    return { ...card, detail: `no detectable difference from ${base}`, tone: "plain" };
  }
  const detail = `${formatChange(mean)} from ${base}, interval ${formatChangeInterval(low, high)}`;
  return { ...card, detail, tone: isImprovement(change) ? "better" : "worse" };
}

/** The evidence for the verdict; nothing to show where there is but one point. */
function gainSection({ gain, mainSlice }: SweepCharts): string {
  if (gain.length === 0 || mainSlice === null) return "";
  return `<h2>How sure it is</h2>\n${seriesLegend(mainSlice)}\n${chartGrid(gain, "wide")}`;
}

/** What each metric does when only one setting, and one other as series, move. */
function sensitivitySection(sweep: SweepResult, { axis, slice, charts }: Sensitivity): string {
  const held = slice.held === "" ? "" : ` Held at the recommended point: ${slice.held}.`;
  const means =
    sweep.seeds.length === 1
      ? "One seed, so no intervals."
      : "Means over seeds, with their 95 % intervals (not paired: the change from the baseline is known better).";
  const heading = axis.setting === RUN_AXIS ? "Run by run" : `What ${shortNameOf(axis.setting)} does`;
  return `<h2>${escapeHtml(heading)}</h2>
<p class="note">${escapeHtml(`${means} The ring is the recommended point.${held}`)}</p>
${seriesLegend(slice)}
${chartGrid(charts, "pairs")}`;
}

function heatMapSection({ heatMap }: SweepCharts): string {
  return heatMap.length === 0 ? "" : `<h2>Two settings at once</h2>\n${chartGrid(heatMap, "wide")}`;
}

function seriesLegend({ series }: SweepSlice): string {
  if (series === null) return "";
  const names = series.values.map((value) => axisLabel(value));
  return legend(names, "shape", `${shortNameOf(series.setting)}:`);
}

function paretoSection({ pareto, mainSlice }: SweepCharts, found: Recommendation): string {
  const condition = conditionWords(found.settings);
  return `<h2>What is traded against what${condition === "" ? "" : escapeHtml(` at ${condition}`)}</h2>
${mainSlice === null ? "" : seriesLegend(mainSlice)}
${chartGrid([pareto], "wide")}`;
}

function distributionSection({ distributions, chosen }: SweepCharts): string {
  if (distributions.length === 0) return "";
  const names = chosen.map(({ name }) => name);
  return `<h2>How latencies are spread</h2>\n${legend(names, "bar")}\n${chartGrid(distributions, "pairs")}`;
}

function loadSection({ load, chosen }: SweepCharts): string {
  const names = chosen.slice(0, 2).map(({ name }) => name);
  return `<h2>Where the load lands</h2>\n${legend(names, "shape")}\n${chartGrid([load], "wide")}`;
}

function decisionSection({ decisions, branches }: SweepCharts): string {
  if (decisions.length === 0) return "";
  return `<h2>Which rule decided</h2>\n${legend(branches, "bar")}\n${chartGrid(decisions, "wide")}`;
}

function pointsSection(sweep: SweepResult, recommendation: Recommendation | null): string {
  const hasStopped = sweep.points.some((point) => stoppedOf(point).length > 0);
  const columns: TableColumn[] = [
    { header: "point", isText: false },
    ...sweep.axes.map(({ setting, values }) => ({
      header: shortNameOf(setting),
      isText: !values.every((value) => typeof value === "number"),
    })),
    ...TABLE_METRICS.map(({ label, unit }) => ({
      header: unit === "" ? label : `${label}, ${unit}`,
      isText: false,
    })),
    { header: "failed runs", isText: false },
    ...(hasStopped ? [{ header: "stopped early", isText: false }] : []),
  ];
  const rows = sweep.points.map((point) => ({
    isMarked: recommendation !== null && point === recommendationFor(point, recommendation).point,
    point: { name: pointName(point.settings), flags: settingsFlags(point.settings) },
    cells: [
      { text: String(point.index), sortBy: point.index },
      ...sweep.axes.map(({ setting }): TableCell => {
        const value = point.settings[setting] ?? null;
        return { text: valueWords(value), sortBy: String(value) };
      }),
      ...TABLE_METRICS.map((metric): TableCell => {
        const mean = statisticsOf(point, metric)?.mean ?? null;
        return { text: formatMetric(metric, mean), sortBy: mean ?? "" };
      }),
      { text: String(failuresOf(point).length), sortBy: failuresOf(point).length },
      ...(hasStopped ? [{ text: String(stoppedOf(point).length), sortBy: stoppedOf(point).length }] : []),
    ],
  }));
  return `<h2>All points</h2>
<p class="note">Means over seeds; the recommended point is marked. A point picked here or in a chart is shown in every chart. Intervals of every figure: <code>pdbench report --format csv</code>.</p>
${sortableTable(columns, rows)}`;
}

/** What it takes to repeat the runs. */
export function provenanceSection(sweep: SweepResult, recommendation: Recommendation | null): string {
  const chosen: readonly (readonly [string, string])[] =
    recommendation === null
      ? []
      : [
          ["recommended settings", copyable(settingsFlags(recommendation.settings))],
          [
            "compared with",
            recommendation.baseline === recommendation.point
              ? ""
              : escapeHtml(baselineWords(recommendation.baseline)),
          ],
          ["objective", escapeHtml(recommendation.objective.name)],
        ];
  const axes = sweep.axes.map(({ setting, values }) => `${setting}: ${values.map(valueWords).join(", ")}`);
  const failures = (recommendation?.failures ?? []).map(
    ({ point, failedRuns, error }) =>
      `<li>${escapeHtml(`${pointName(point.settings)}: ${failedRuns} failed, ${error}`)}</li>`,
  );
  const notes = sweep.notes.map((note) => `<li>${escapeHtml(note)}</li>`);
  const entries = [
    ...chosen,
    ["swept", axes.map(escapeHtml).join("<br>")],
    ["seeds", escapeHtml(sweep.seeds.join(", "))],
    ["workload hash", codeOrNothing(sweep.workload_hash)],
    ["pdbench version", escapeHtml(sweep.versions.pdbench)],
  ].filter((entry): entry is [string, string] => entry[1] !== "");
  return `<h2>Settings and provenance</h2>
${definitions(entries)}
${notes.length === 0 ? "" : `<h3>Notes</h3><ul>${notes.join("")}</ul>`}
${failures.length === 0 ? "" : `<h3>Failed points</h3><ul>${failures.join("")}</ul>`}
<details><summary>Scenario with every default filled in</summary><pre>${escapeHtml(stringify(sweep.scenario))}</pre></details>
<details><summary>How to read the figures</summary>
<p>TTFT: request sent to first output token at the client. ITL: every gap between output tokens, pooled over all
requests. Goodput: requests per second that meet every objective. Cache hits: prompt tokens found in a prefix cache, once
per request. Differences are paired by seed (common random numbers); the intervals are 95 %, Student's t below ten seeds
and bootstrap-t from there. The full definitions are in docs/metrics.md.</p></details>`;
}

function copyable(text: string): string {
  return text === "" ? "" : `${codeOrNothing(text)} <button type="button" class="copy">copy</button>`;
}

function codeOrNothing(text: string): string {
  return text === "" ? "" : `<code>${escapeHtml(text)}</code>`;
}
