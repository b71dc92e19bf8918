import { escapeHtml } from "../../report/html/escape.js";
import type { RecommendOptions } from "../../report/recommendation.js";
import type { ReportChoices } from "../../report/report-choices.js";
import type { ReportFormat } from "../../report/write-report.js";
import type { Reply } from "../reply.js";
import { pageReply } from "./layout.js";

const DOWNLOADS: Readonly<Record<ReportFormat, string>> = {
  html: "HTML",
  md: "Markdown",
  csv: "CSV",
  json: "JSON",
};

interface ResultsParts {
  readonly names: readonly string[];
  readonly paths: readonly string[];
  /** Address of the form for a sweep with the settings of this one; null = none. */
  readonly sweepFrom: string | null;
  readonly choices: ReportChoices;
  readonly chosen: RecommendOptions;
}

/** A report in a frame of its own, with its choices and the ways on above it. */
export function resultsPage(parts: ResultsParts): Reply {
  const { names, paths, sweepFrom, chosen } = parts;
  const address = reportAddress(paths, chosen);
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
${choiceForm(parts)}
<iframe title="Report of ${escapeHtml(title)}" src="${escapeHtml(address)}" allow="clipboard-write"></iframe>`;
  return pageReply({ title, body, layout: "report" });
}

/** Where the report of these results is, by itself. */
function reportAddress(paths: readonly string[], chosen: RecommendOptions): string {
  const query = new URLSearchParams(paths.map((path): [string, string] => ["of", path]));
  for (const [name, value] of Object.entries(chosen)) query.set(name, value as string);
  return `/report?${query.toString()}`;
}

/** What the results are compared with and judged by; nothing where there is nothing to choose. */
function choiceForm({ paths, choices: { baselines, objectives }, chosen }: ResultsParts): string {
  const fields: string[] = [];
  if (baselines.length > 1) {
    // A sweep's report picks its baseline by a rule, a comparison of runs takes the first.
    const first = objectives.length > 0 ? "Always disaggregate, or the first" : `The first: ${baselines[0]!}`;
    const others = baselines.map((name): [string, string] => [name, name]);
    fields.push(field("Compare with", "baseline", [["", first], ...others], chosen.baseline));
  }
  if (objectives.length > 0) {
    const options = objectives.map(({ name, label }): [string, string] => [name, label]);
    fields.push(field("Recommend by", "objective", options, chosen.objective ?? objectives[0]!.name));
  }
  if (fields.length === 0) return "";
  const hidden = paths.map((path) => `<input type="hidden" name="of" value="${escapeHtml(path)}">`);
  return `<form class="bar choices" action="/results" method="get">${hidden.join("")}
${fields.join("\n")}
<button type="submit" class="plain">Show</button></form>`;
}

function field(
  label: string,
  name: string,
  options: readonly (readonly [value: string, text: string])[],
  chosen: string | undefined,
): string {
  const html = options.map(
    ([value, text]) =>
      `<option value="${escapeHtml(value)}"${value === (chosen ?? "") ? " selected" : ""}>${escapeHtml(text)}</option>`,
  );
  return `<label>${label} <select name="${name}">${html.join("")}</select></label>`;
}
