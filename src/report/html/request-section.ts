import { stagesMs, STAGES } from "../charts/time-breakdown.js";
import type { LoggedDecision } from "../explain-request.js";
import type { RequestRow } from "../run-files-reader.js";
import { escapeHtml, jsonForScript } from "./escape.js";
import { sampleRequests } from "./request-sample.js";

interface Column {
  readonly key: string;
  readonly header: string;
  readonly isText: boolean;
  read(row: RequestRow): number | string;
}

const text = (key: string, header: string, read: Column["read"]): Column => ({
  key,
  header,
  isText: true,
  read,
});
const figure = (key: string, header: string, read: Column["read"]): Column => ({
  key,
  header,
  isText: false,
  read,
});

/** Columns of the table; the keys can be searched by (`ttft>1000`). */
const COLUMNS: readonly Column[] = [
  figure("id", "request", ({ id }) => id),
  figure("arrival", "arrival, s", ({ arrivalS }) => arrivalS),
  figure("prompt", "prompt tokens", ({ inputTokens }) => inputTokens),
  figure("output", "output tokens", ({ outputTokens }) => outputTokens),
  figure("ttft", "TTFT, ms", ({ ttftMs }) => ttftMs),
  figure("tpot", "TPOT, ms", ({ tpotMs }) => tpotMs),
  figure("e2e", "E2E, ms", ({ e2eMs }) => e2eMs),
  figure("queue", "queue, ms", ({ queueMs }) => queueMs),
  figure("cached", "cached tokens", ({ cachedTokens }) => cachedTokens),
  text("path", "path", ({ path }) => path.replaceAll("_", " ")),
  text("prefill", "prefill worker", ({ prefillWorker }) => prefillWorker),
  text("decode", "decode worker", ({ decodeWorker }) => decodeWorker),
  text("branch", "decided by", ({ branch }) => branch),
  figure("preemptions", "preempted", ({ preemptions }) => preemptions),
  text("status", "status", ({ status }) => status),
];

/** A table of requests to search and sort, and the whole story of the one that is picked. */
export function requestSection(
  requests: readonly RequestRow[] | null,
  decisions: ReadonlyMap<number, LoggedDecision> | null,
): string {
  if (requests === null || requests.length === 0) return "";
  const { rows, words } = sampleRequests(requests);
  const data = {
    columns: COLUMNS.map(({ key, header, isText }) => ({ key, header, isText })),
    rows: rows.map((row) => COLUMNS.map((column) => cell(column.read(row)))),
    stages: STAGES,
    stagesMs: rows.map((row) => stagesMs(row).map(cell)),
    decisions: decisions === null ? null : rows.map(({ id }) => decisions.get(id) ?? null),
  };
  const decisionNote =
    decisions === null ? " Why a request went where it went is known of runs made with --decisions." : "";
  return `<section id="request-section"><h2 id="requests">Requests</h2>
<p class="note">${escapeHtml(`Pick a request for its whole story.${decisionNote}${words === "" ? "" : ` ${words}`}`)}</p>
<noscript><p class="note">The table needs JavaScript; the requests are in requests.csv.</p></noscript>
<div id="request-browser">
<p class="search"><label for="request-search">Search</label>
<input id="request-search" type="search" placeholder="decode-1 ttft&gt;1000" autocomplete="off" spellcheck="false"
 aria-describedby="request-search-help">
<span class="muted" id="request-search-help">words, or a column with &gt; or &lt;: ${COLUMNS.filter(
    ({ isText }) => !isText,
  )
    .map(({ key }) => key)
    .join(", ")}</span></p>
<div class="scroll" tabindex="0" role="region" aria-label="requests"><table><thead></thead><tbody></tbody></table></div>
<p class="pager"><button type="button" data-step="-1">earlier</button> <span role="status"></span>
<button type="button" data-step="1">later</button></p>
<section class="story" hidden tabindex="-1" aria-label="story of a request"></section>
<script type="application/json">${jsonForScript(data)}</script>
</div></section>`;
}

function cell(value: number | string): number | string | null {
  if (typeof value === "string") return value;
  return Number.isNaN(value) ? null : Math.round(value * 1000) / 1000;
}
