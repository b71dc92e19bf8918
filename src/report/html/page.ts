import type { Chart } from "../charts/chart.js";
import { escapeHtml, jsonForScript } from "./escape.js";
import { shapePath } from "./palette.js";
import { REQUEST_SCRIPT } from "./request-script.js";
import { PAGE_SCRIPT } from "./script.js";
import { PAGE_STYLE } from "./style.js";
import { vegaBundle } from "./vega-bundle.js";

/** A page that works from `file://`: style, scripts, charts and data are inside, nothing is requested. */
export async function htmlPage(title: string, body: string): Promise<string> {
  const { code } = await vegaBundle();
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>${PAGE_STYLE}</style>
</head>
<body>
<main>
${body}
</main>
<div id="tooltip" role="presentation"></div>
<script>${code}</script>
<script>${PAGE_SCRIPT}</script>
<script>${REQUEST_SCRIPT}</script>
</body>
</html>
`;
}

/** A chart with its title, what to see in it, and its specification; the page's script draws it. */
export function figure(chart: Chart): string {
  return `<figure id="${chart.id}" data-chart${chart.isOverTime === true ? " data-over-time" : ""}>
<h4>${escapeHtml(chart.title)}</h4>
<figcaption>${escapeHtml(chart.caption)}</figcaption>
<div class="plot" style="min-height:${heightOf(chart)}px" role="img" aria-label="${escapeHtml(`${chart.title}. ${chart.caption}`)}"></div>
<noscript><p class="note">The chart needs JavaScript; its figures are in the table below.</p></noscript>
<div class="links"></div>
<script type="application/json">${jsonForScript(chart.spec)}</script>
</figure>`;
}

/** What a chart will take, so that the page does not move when it is drawn. */
function heightOf({ spec }: Chart): number {
  return "height" in spec && typeof spec.height === "number" ? spec.height + 44 : 60;
}

/** Charts side by side where there is room, or one below the other. */
export function chartGrid(charts: readonly Chart[], layout: "pairs" | "wide"): string {
  return `<div class="charts${layout === "wide" ? " wide" : ""}">${charts.map(figure).join("\n")}</div>`;
}

/** Names of series with the colour and shape they have in every chart beside it; `title` says what they are. */
export function legend(names: readonly string[], swatch: "shape" | "bar", title = ""): string {
  const items = names.map((name, i) => {
    const colour = `var(--series-${(i % 7) + 1})`;
    const path = swatch === "shape" ? shapePath(i) : "M-6,-6H6V6H-6Z";
    return (
      `<li><svg width="16" height="16" viewBox="-8 -8 16 16" aria-hidden="true">` +
      `<path d="${path}" fill="${colour}"/></svg>${escapeHtml(name)}</li>`
    );
  });
  const heading = title === "" ? "" : `<li class="muted">${escapeHtml(title)}</li>`;
  return `<ul class="legend">${heading}${items.join("")}</ul>`;
}

/** One figure of a row of cards. */
export interface Card {
  readonly label: string;
  readonly value: string;
  readonly unit: string;
  /** Below the value, e.g. the change; may be empty. */
  readonly detail: string;
  readonly tone: "better" | "worse" | "plain";
}

/** Key figures at a glance. */
export function cards(all: readonly Card[]): string {
  const html = all.map(
    ({ label, value, unit, detail, tone }) =>
      `<div class="card"><div class="label">${escapeHtml(label)}</div>` +
      `<div class="value">${escapeHtml(value)}${unit === "" ? "" : ` <small>${escapeHtml(unit)}</small>`}</div>` +
      `<div class="change ${tone}">${escapeHtml(detail)}</div></div>`,
  );
  return `<div class="cards">${html.join("\n")}</div>`;
}

/** Names and what they are, one below the other; values are HTML. */
export function definitions(entries: readonly (readonly [string, string])[]): string {
  return `<dl>${entries.map(([name, html]) => `<dt>${escapeHtml(name)}</dt><dd>${html}</dd>`).join("\n")}</dl>`;
}

/** A cell of a table: what is shown, and what it is sorted by. */
export interface TableCell {
  readonly text: string;
  readonly sortBy: string | number;
}

/** A column of a table. */
export interface TableColumn {
  readonly header: string;
  readonly isText: boolean;
}

/** A row of a table. */
export interface TableRow {
  readonly cells: readonly TableCell[];
  readonly isMarked: boolean;
  /** Of a row that stands for a point of a sweep: its name in the charts, and the flags that repeat it. */
  readonly point?: { readonly name: string; readonly flags: string };
}

/** A table that scrolls within its own width; a click on a header sorts it, one on a point's first cell selects the point. */
export function sortableTable(columns: readonly TableColumn[], rows: readonly TableRow[]): string {
  const align = (i: number) => (columns[i]!.isText ? ' class="text"' : "");
  const head = columns.map(
    ({ header }, i) =>
      `<th scope="col" data-column="${i}"${align(i)}><button type="button">${escapeHtml(header)}</button></th>`,
  );
  const body = rows.map(({ cells, isMarked, point }) => {
    const tds = cells.map(({ text, sortBy }, i) => {
      const isPick = i === 0 && point !== undefined;
      const html = isPick
        ? `<button type="button" class="pick" aria-pressed="false" aria-label="${escapeHtml(`${text}: select ${point.name}`)}">${escapeHtml(text)}</button>`
        : escapeHtml(text);
      return `<td${align(i)} data-value="${escapeHtml(String(sortBy))}">${html}</td>`;
    });
    const data =
      point === undefined
        ? ""
        : ` data-point="${escapeHtml(point.name)}" data-flags="${escapeHtml(point.flags)}"`;
    return `<tr${isMarked ? ' class="recommended"' : ""}${data}>${tds.join("")}</tr>`;
  });
  return `<div class="scroll" tabindex="0" role="region" aria-label="table"><table class="sortable">
<thead><tr>${head.join("")}</tr></thead>
<tbody>
${body.join("\n")}
</tbody></table></div>`;
}
