import { capitalised, formatCount } from "../../report/format.js";
import { escapeHtml } from "../../report/html/escape.js";
import { formatMetric } from "../../report/metrics.js";
import type { FoundFiles } from "../find-results.js";
import type { Reply } from "../reply.js";
import { ROW_METRICS, type ResultRow } from "../result-rows.js";
import type { JobState } from "../sweep-jobs.js";
import { INDEX_SCRIPT } from "./index-script.js";
import { JOB_SCRIPT, jobCard } from "./job-card.js";
import { pageReply } from "./layout.js";

interface IndexParts {
  /** The folder as the user named it. */
  readonly folder: string;
  readonly rows: readonly ResultRow[];
  readonly found: FoundFiles;
  /** Sweeps that were started here, the latest first. */
  readonly jobs: readonly JobState[];
  readonly token: string;
}

const TEXT_COLUMNS = ["Result", "Kind", "Scenario", "Trace", "Policy, or what varies", "Seeds", "Changed"];

/** The list of all results below the folder: filter, sort, open one, tick several and compare them. */
export function indexPage({ folder, rows, found, jobs, token }: IndexParts): Reply {
  const body = `<h1>Results in <code>${escapeHtml(folder)}</code></h1>
${jobs.map((job) => jobCard(job, token)).join("\n")}
${remarks(found)}
${rows.length === 0 ? emptyWords(folder) : tableOf(folder, rows)}`;
  return pageReply({
    title: `Results in ${folder}`,
    body,
    script: `${INDEX_SCRIPT}${JOB_SCRIPT}`,
    layout: "wide",
  });
}

function remarks({ isCut, unreadable }: FoundFiles): string {
  const words: string[] = [];
  if (isCut)
    words.push("There are more folders than are searched: open one further down with pdbench serve.");
  if (unreadable.length > 0) {
    const others = unreadable.length > 1 ? ` and ${formatCount(unreadable.length - 1)} more folders` : "";
    words.push(`${unreadable[0]!}${others} cannot be read.`);
  }
  return words.map((text) => `<p class="note">${escapeHtml(text)}</p>`).join("\n");
}

function emptyWords(folder: string): string {
  return `<section class="verdict"><p>No runs or sweeps here yet.</p></section>
<p>A run or a sweep that is written below this folder appears when the page is loaded again:
<a href="/sweeps/new">start a sweep here</a>, or from a terminal:</p>
<pre>pdbench simulate quickstart --out ${escapeHtml(folder)}/first-run
pdbench sweep quickstart --out ${escapeHtml(folder)}/first-sweep</pre>`;
}

function tableOf(folder: string, rows: readonly ResultRow[]): string {
  const kept = rows.filter(({ isKept }) => isKept).length;
  const keptBox =
    kept === 0
      ? ""
      : `<label class="check"><input type="checkbox" id="kept"> Also the ${formatCount(kept)} runs that sweeps have kept</label>`;
  const head = [
    ...TEXT_COLUMNS.map((name) => headerCell(name, true)),
    ...ROW_METRICS.map(({ label, unit }) => headerCell(unit === "" ? label : `${label}, ${unit}`, false)),
  ];
  const name = folder.split("/").findLast((part) => part !== "") ?? folder;
  return `<form action="/results" method="get" id="list">
<div class="tools">
<label class="grow">Filter <input type="search" id="filter" autocomplete="off" placeholder="words of any column, e.g. sweep cache_aware"></label>
${keptBox}
<span id="shown" role="status" class="muted">${formatCount(rows.length - kept)} results</span>
</div>
<div class="scroll" tabindex="0" role="region" aria-label="Results"><table class="results">
<thead><tr><th scope="col" class="text"><span class="hidden-words">Compare</span></th>${head.map((cell, i) => cell(i + 1)).join("")}</tr></thead>
<tbody>
${rows.map((row) => rowOf(row, row.path === "." ? name : row.path)).join("\n")}
</tbody></table></div>
<p id="none" class="note" hidden>Nothing matches. <button type="button" class="link" id="clear">Show all</button></p>
<div class="actions"><button type="submit" id="compare">Compare the ticked results</button> <span id="ticked" role="status" class="muted"></span></div>
</form>`;
}

/** Numbers sort with the largest first, as dates do; words from A on. */
function headerCell(name: string, isText: boolean): (column: number) => string {
  const first = isText && name !== "Changed" ? "ascending" : "descending";
  const sorted = name === "Changed" ? ' aria-sort="descending"' : "";
  return (column) =>
    `<th scope="col" data-column="${column}" data-first="${first}"${isText ? ' class="text"' : ""}${sorted}>` +
    `<button type="button">${escapeHtml(capitalised(name))}</button></th>`;
}

function rowOf(row: ResultRow, name: string): string {
  const link = row.canOpen
    ? `<a href="/results?of=${encodeURIComponent(row.path)}">${escapeHtml(name)}</a>`
    : escapeHtml(name);
  const tick = row.canOpen
    ? `<input type="checkbox" name="of" value="${escapeHtml(row.path)}" aria-label="Compare ${escapeHtml(name)}">`
    : "";
  const words = [row.what, row.scenario, row.trace, row.settings, row.seeds].map(
    (text) => `<td class="text" data-value="${escapeHtml(text)}">${escapeHtml(text)}</td>`,
  );
  const figures = ROW_METRICS.map((metric, i) => {
    const value = row.figures[i] ?? null;
    return `<td data-value="${value ?? ""}">${escapeHtml(formatMetric(metric, value))}</td>`;
  });
  const inShort = [row.what, row.scenario, row.trace, row.seeds === "" ? "" : `seed ${row.seeds}`];
  const short = `<div class="in-short muted">${escapeHtml(inShort.filter((text) => text !== "").join(", "))}</div>`;
  const goOn = row.canGoOn ? `<a href="/sweeps/new?from=${encodeURIComponent(row.path)}">Go on</a>` : "";
  const remark = row.remark === "" ? "" : `<div class="muted">${escapeHtml(row.remark)}</div>`;
  return (
    `<tr${row.isKept ? " data-kept hidden" : ""}><td class="text tick">${tick}</td>` +
    `<th scope="row" class="text" data-value="${escapeHtml(name)}">${link}${short}${remark}${goOn}</th>${words.join("")}` +
    `<td class="text" data-value="${row.modifiedMs}">${timeOf(row.modifiedMs)}</td>${figures.join("")}</tr>`
  );
}

/** To the minute, in the time zone of this machine. */
function timeOf(timeMs: number): string {
  const date = new Date(timeMs);
  const local = date.toLocaleString("sv-SE", { dateStyle: "short", timeStyle: "short" });
  return `<time datetime="${date.toISOString()}">${escapeHtml(local)}</time>`;
}
