import { escapeHtml } from "../../report/html/escape.js";
import type { ReportFormat } from "../../report/write-report.js";
import type { Reply } from "../reply.js";
import { pageReply } from "./layout.js";

const DOWNLOADS: Readonly<Record<ReportFormat, string>> = {
  html: "HTML",
  md: "Markdown",
  csv: "CSV",
  json: "JSON",
};

/**
 * A report in a frame of its own, with the ways on above it.
 *
 * @param sweepFrom address of the form for a sweep with the settings of this one; null = none
 */
export function resultsPage(
  names: readonly string[],
  paths: readonly string[],
  sweepFrom: string | null,
): Reply {
  const address = reportAddress(paths);
  const title = names.length > 2 ? `${names.length} results side by side` : names.join(" and ");
  const downloads = Object.entries(DOWNLOADS).map(
    ([format, label]) =>
      `<li><a href="${escapeHtml(`${address}&format=${format}`)}" download>${label}</a></li>`,
  );
  const again =
    sweepFrom === null ? "" : `<a href="${escapeHtml(sweepFrom)}">New sweep with these settings</a>`;
  const body = `<div class="bar"><h1>${escapeHtml(title)}</h1>
<a href="${escapeHtml(address)}">Report alone, to print or keep</a>
<span class="muted" id="download-as">Download:</span><ul aria-labelledby="download-as">${downloads.join("")}</ul>${again}</div>
<iframe title="Report of ${escapeHtml(title)}" src="${escapeHtml(address)}" allow="clipboard-write"></iframe>`;
  return pageReply({ title, body, layout: "report" });
}

/** Where the report of these results is, by itself. */
export function reportAddress(paths: readonly string[]): string {
  return `/report?${new URLSearchParams(paths.map((path): [string, string] => ["of", path])).toString()}`;
}
