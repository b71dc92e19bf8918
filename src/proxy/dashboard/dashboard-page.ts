import { PAGE_STYLE } from "../../report/html/style.js";
import { DASHBOARD_SCRIPT } from "./dashboard-script.js";
import { DASHBOARD_STYLE } from "./dashboard-style.js";

/** Nothing from elsewhere may run or be asked for, whatever a worker's name says. */
export const DASHBOARD_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

interface Chart {
  readonly id: string;
  readonly title: string;
  readonly caption: string;
}

const CHARTS: readonly Chart[] = [
  { id: "rate", title: "Requests per second", caption: "Arrivals, mean of five seconds." },
  { id: "open", title: "Open legs", caption: "Requests of this proxy under way, by kind of worker." },
  { id: "ttft", title: "TTFT", caption: "Arrival to first byte, ms; percentiles of the last minute." },
  { id: "itl", title: "ITL", caption: "Gap between chunks, ms; percentiles of the last minute." },
];

const CARDS = [
  ["rate", "Requests per second"],
  ["open", "Open requests"],
  ["ttft", "TTFT p50"],
  ["itl", "ITL p50"],
  ["disaggregated", "Disaggregated"],
  ["failed", "Failed"],
] as const;

const WORKER_COLUMNS = [
  "Open",
  "Running",
  "Waiting",
  "KV use",
  "TTFT p50",
  "TTFT p90",
  "ITL p50",
  "ITL p90",
  "Legs",
];

/** The page of `GET /dashboard`; its script fills it in from `/dashboard/state`. */
export function dashboardPage(): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>pdbench proxy</title>
<link rel="icon" href="data:,">
<style>${PAGE_STYLE}${DASHBOARD_STYLE}</style>
</head>
<body>
<main>
<header>
<div><h1>pdbench proxy</h1><p class="lead" id="lead">Waiting for the first figures.</p></div>
<div class="controls"><span id="status" role="status">connecting</span><button type="button" id="pause" aria-pressed="false">Pause</button></div>
</header>
<noscript><p class="note">The page needs JavaScript; its figures are JSON at <a href="dashboard/state">dashboard/state</a>.</p></noscript>
<section aria-label="At a glance"><div class="cards">${CARDS.map(([id, label]) => card(id, label)).join("\n")}</div></section>
<section aria-labelledby="over-time"><h2 id="over-time">Last two minutes</h2><div class="charts">${CHARTS.map(figure).join("\n")}</div></section>
<section aria-labelledby="workers-title"><h2 id="workers-title">Workers</h2>
<p class="note">Open and legs are this proxy's; running, waiting and KV use are what each engine says of itself. Times in ms, last minute.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Table of workers"><table id="workers">
<thead><tr><th scope="col" class="text">Worker</th><th scope="col" class="text">Leg</th>${WORKER_COLUMNS.map((name) => `<th scope="col">${name}</th>`).join("")}</tr></thead>
<tbody></tbody></table></div></section>
<section aria-labelledby="decisions-title"><h2 id="decisions-title">Decisions by branch</h2>
<p class="note">Which rule of the decider and of each leg's policy decided; since the start, and since this page was opened (two minutes at most).</p>
<div class="scroll" tabindex="0" role="region" aria-label="Table of decisions"><table id="decisions">
<thead><tr><th scope="col" class="text">Branch</th><th scope="col">All</th><th scope="col">Lately</th><th scope="col" class="text share">Share lately</th></tr></thead>
<tbody></tbody></table></div></section>
<footer class="note">More: <a href="debug/decisions">latest decisions</a>, <a href="metrics">Prometheus metrics</a>, <a href="dashboard/state">this page's figures</a>.</footer>
</main>
<script>${DASHBOARD_SCRIPT}</script>
</body>
</html>
`;
}

function card(id: string, label: string): string {
  return `<div class="card"><div class="label">${label}</div><div class="value" id="card-${id}">&ndash;</div><div class="change muted" id="detail-${id}"></div></div>`;
}

function figure({ id, title, caption }: Chart): string {
  return `<figure id="chart-${id}"><h3>${title}</h3><figcaption>${caption}</figcaption><div class="plot" role="img" aria-label="${title}: no figures yet"></div><ul class="legend"></ul></figure>`;
}
