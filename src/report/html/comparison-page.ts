import { stringify } from "yaml";
import { hasRows } from "../charts/chart.js";
import { requestDifferenceCharts, sideDistributionCharts } from "../charts/comparison-charts.js";
import { differenceIntervalsChart } from "../charts/difference-intervals.js";
import { workerSharesChart } from "../charts/worker-shares.js";
import type { ComparedSide, Comparison } from "../comparison/compare.js";
import type { Side } from "../comparison/compared-runs.js";
import { sidesOf } from "../comparison/comparison-files.js";
import { comparisonHeaders, comparisonRow, INTERVAL_NOTE } from "../comparison/comparison-table.js";
import { outcomeOf } from "../comparison/comparison-words.js";
import { formatCount, formatDuration, formatShare } from "../format.js";
import { escapeHtml } from "./escape.js";
import type { TableCell } from "./page.js";
import { chartGrid, definitions, htmlPage, legend, sortableTable } from "./page.js";

/** Runs side by side: one HTML file that needs nothing else. */
export async function comparisonPage(comparison: Comparison): Promise<string> {
  const sides = sidesOf(comparison);
  const body = [
    `<h1>${escapeHtml(comparison.name)}</h1>`,
    `<p class="lead">${escapeHtml(leadOf(sides))}</p>`,
    warningSection(comparison),
    ...comparison.others.map(verdictSection),
    `<h2>What differs</h2>`,
    legend(
      comparison.others.map(({ side }) => side.name),
      "shape",
    ),
    chartGrid([differenceIntervalsChart(comparison)].filter(hasRows), "wide"),
    ...comparison.others.map((held) => tableSection(comparison, held)),
    `<p class="note">${escapeHtml(INTERVAL_NOTE)}</p>`,
    distributionSection(sides),
    ...comparison.others.map((held) => timeSection(comparison, held)),
    workerSection(sides),
    provenanceSection(comparison),
  ];
  return htmlPage(`${comparison.name}: what differs`, body.join("\n"));
}

function leadOf(sides: readonly Side[]): string {
  return sides
    .map(({ name, runs }) => {
      const { summary, isLive } = runs[0]!;
      const seeds = runs.length === 1 ? "" : `${runs.length} seeds of `;
      const kind = isLive ? "measured live" : "simulated";
      return `${name}: ${seeds}${formatCount(summary.requests.total)} requests in ${formatDuration(summary.duration_s)}, ${kind}`;
    })
    .join("; ")
    .concat(".");
}

function warningSection({ warnings }: Comparison): string {
  if (warnings.length === 0) return "";
  const items = warnings.map((warning) => `<li>${escapeHtml(warning)}</li>`);
  return `<section class="warning" role="note"><p>Not comparable as they stand</p><ul>${items.join("")}</ul></section>`;
}

function verdictSection({ words }: ComparedSide): string {
  const [headline, ...rest] = words.map(escapeHtml);
  return `<section class="verdict"><p>${headline!}</p><ul>${rest.map((text) => `<li>${text}</li>`).join("")}</ul></section>`;
}

function tableSection({ baseline }: Comparison, held: ComparedSide): string {
  const headers = comparisonHeaders(baseline, held);
  const columns = headers.map((header, i) => ({
    header: header === "" ? (i === 0 ? "figure" : "verdict") : header,
    isText: i === 0 || i === headers.length - 1,
  }));
  const rows = held.differences.map((difference) => {
    const { base, other, relative } = difference;
    const sortBy = [null, base, other, relative?.mean, relative?.low, null];
    const cells = comparisonRow(difference).map((text, i): TableCell => ({
      text,
      sortBy: columns[i]!.isText ? text : (sortBy[i] ?? ""),
    }));
    return { isMarked: ["better", "worse"].includes(outcomeOf(difference)), cells };
  });
  return `<h3>${escapeHtml(`${held.side.name} against ${baseline.name}`)}</h3>\n${sortableTable(columns, rows)}`;
}

function distributionSection(sides: readonly Side[]): string {
  const charts = sideDistributionCharts(sides);
  if (charts.length === 0) return "";
  return `<h2>How latencies are spread</h2>
${legend(
  sides.map(({ name }) => name),
  "bar",
)}
${chartGrid(charts, "pairs")}`;
}

function timeSection(comparison: Comparison, held: ComparedSide): string {
  const charts = requestDifferenceCharts(comparison, held);
  if (charts.length === 0) return "";
  const title = `Request by request: ${held.side.name} against ${comparison.baseline.name}`;
  return `<h2>${escapeHtml(title)}</h2>\n${chartGrid(charts, "wide")}`;
}

function workerSection(sides: readonly Side[]): string {
  const chart = workerSharesChart(sides);
  const routed = sides.map(({ name, runs }): [string, string] => {
    const { disaggregated, decode_only } = runs[0]!.summary.routing;
    const total = disaggregated + decode_only;
    const share = total === 0 ? null : disaggregated / total;
    return [name, `${formatShare(share)} of requests disaggregated`];
  });
  return `<h2>Where the requests went</h2>
${definitions(routed.map(([name, text]) => [name, escapeHtml(text)]))}
${
  hasRows(chart)
    ? `${legend(
        sides.map(({ name }) => name),
        "shape",
      )}\n${chartGrid([chart], "wide")}`
    : ""
}`;
}

function provenanceSection(comparison: Comparison): string {
  const sides = sidesOf(comparison);
  const columns = ["setting", ...sides.map(({ name }) => name)].map((header) => ({ header, isText: true }));
  const rows = comparison.settings.map(({ setting, values }) => ({
    isMarked: false,
    cells: [setting, ...values].map((text) => ({ text, sortBy: text })),
  }));
  const differing = rows.length === 0 ? `<p>No setting differs.</p>` : sortableTable(columns, rows);
  const runs = sides.flatMap(({ runs }) => runs);
  const entries = runs.map(({ name, seed, summary }): [string, string] => [
    name,
    escapeHtml(
      `seed ${seed}; pdbench ${summary.versions?.pdbench ?? "of an unknown version"}; ` +
        `workload ${summary.workload_hash ?? "without a hash"}`,
    ),
  ]);
  const settings = runs.map(
    ({ name, summary }) =>
      `<details><summary>${escapeHtml(`Every setting of ${name}`)}</summary><pre>${escapeHtml(stringify(summary.settings))}</pre></details>`,
  );
  return `<h2>Settings and provenance</h2>
<h3>Settings that differ</h3>
${differing}
<h3>Where the runs come from</h3>
${definitions(entries)}
${settings.join("\n")}`;
}
