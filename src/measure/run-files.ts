import type { RequestRecords, RunResult, RunTotals } from "./records.js";
import { PATHS, STATUSES } from "./records.js";
import { metricsOf, type Metrics } from "./request-metrics.js";
import type { Summary } from "./summary.js";

/** Columns of `requests.csv`. */
export const REQUEST_COLUMNS = [
  "id",
  "arrival_s",
  "input_tokens",
  "output_tokens",
  "session",
  "path",
  "prefill_worker",
  "decode_worker",
  "branch",
  "queue_ms",
  "prefill_ms",
  "kv_transfer_ms",
  "ttft_ms",
  "tpot_ms",
  "e2e_ms",
  "itl_p99_ms",
  "cached_tokens",
  "preemptions",
  "status",
] as const;

/** Columns of `timeline.csv`. */
export const TIMELINE_COLUMNS = ["time_s", "worker", "running", "waiting", "kv_usage"] as const;

const ROWS_PER_CHUNK = 2048;

/** Text of `summary.json`: numbers as the shortest decimal that reads back as the same double. */
export function summaryJson(summary: Summary): string {
  return `${JSON.stringify(summary, null, 2)}\n`;
}

/**
 * Text of `requests.csv` in chunks of many rows. An empty field is a figure that does not exist. Times are
 * rounded to a nanosecond, which is far below what any of them means and keeps binary dust out of the file.
 */
export function* requestsCsv(run: RunResult): Generator<string> {
  const { records } = run;
  const metrics = { ttftMs: NaN, tpotMs: NaN, e2eMs: NaN };
  const names = { workers: run.workers.map(({ id }) => csvField(id)), branches: run.branches };
  yield `${REQUEST_COLUMNS.join(",")}\n`;
  let chunk = "";
  for (let i = 0; i < records.count; i++) {
    chunk += requestRow(i, records, i, metricsOf(records, i, metrics), names);
    if ((i + 1) % ROWS_PER_CHUNK === 0) {
      yield chunk;
      chunk = "";
    }
  }
  if (chunk !== "") yield chunk;
}

/**
 * The line of `requests.csv` of request `id`, which is at `place` of the records.
 *
 * @param names ids of workers, as fields of CSV, and names of branches.
 */
export function requestRow(
  id: number,
  records: RequestRecords,
  place: number,
  { ttftMs, tpotMs, e2eMs }: Metrics,
  names: { readonly workers: readonly string[]; readonly branches: readonly string[] },
): string {
  const session = records.session[place]!;
  const prefillWorker = names.workers[records.prefillWorker[place]!] ?? "";
  const decodeWorker = names.workers[records.decodeWorker[place]!] ?? "";
  const wasRouted = prefillWorker !== "" || decodeWorker !== "";
  const branch = wasRouted ? csvField(names.branches[records.branch[place]!] ?? "") : "";
  return (
    `${id},${seconds(records.sentMs[place]!)},${records.inputTokens[place]!},${records.outputTokens[place]!},` +
    `${session === -1 ? "" : session},${wasRouted ? PATHS[records.path[place]!]! : ""},` +
    `${prefillWorker},${decodeWorker},${branch},` +
    `${ms(records.queueMs[place]!)},${ms(records.prefillMs[place]!)},${ms(records.kvTransferMs[place]!)},` +
    `${ms(ttftMs)},${ms(tpotMs)},${ms(e2eMs)},${ms(records.itlP99Ms[place]!)},` +
    `${records.cachedTokens[place]!},${records.preemptions[place]!},${STATUSES[records.status[place]!]!}\n`
  );
}

/** Text of `timeline.csv` in chunks of many rows; `kv_usage` is a share, 0..1. */
export function* timelineCsv(run: RunTotals): Generator<string> {
  const workers = run.workers.map((worker) => csvField(worker.id));
  yield `${TIMELINE_COLUMNS.join(",")}\n`;
  for (let start = 0; start < run.timeline.length; start += ROWS_PER_CHUNK) {
    yield run.timeline
      .slice(start, start + ROWS_PER_CHUNK)
      .map(
        (row) =>
          `${seconds(row.atMs)},${workers[row.worker]!},${row.running},${row.waiting},` +
          `${Math.round(row.kvUsage * 1e6) / 1e6}\n`,
      )
      .join("");
  }
}

/** Quotes a field where RFC 4180 asks for it. */
export function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function ms(value: number): string {
  return Number.isNaN(value) ? "" : String(Math.round(value * 1e6) / 1e6);
}

function seconds(valueMs: number): string {
  return Number.isNaN(valueMs) ? "" : String(Math.round(valueMs * 1e6) / 1e9);
}
