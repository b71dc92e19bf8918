import type { RunResult } from "./records.js";
import { PATHS, STATUSES } from "./records.js";
import { requestMetrics } from "./request-metrics.js";
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
  const { ttftMs, tpotMs, e2eMs } = requestMetrics(records);
  const workers = run.workers.map((worker) => csvField(worker.id));
  const branches = run.branches.map(csvField);
  yield `${REQUEST_COLUMNS.join(",")}\n`;
  let chunk = "";
  for (let i = 0; i < records.count; i++) {
    const session = records.session[i]!;
    const prefillWorker = workers[records.prefillWorker[i]!] ?? "";
    const decodeWorker = workers[records.decodeWorker[i]!] ?? "";
    const wasRouted = prefillWorker !== "" || decodeWorker !== "";
    chunk +=
      `${i},${seconds(records.sentMs[i]!)},${records.inputTokens[i]!},${records.outputTokens[i]!},` +
      `${session === -1 ? "" : session},${wasRouted ? PATHS[records.path[i]!]! : ""},` +
      `${prefillWorker},${decodeWorker},${wasRouted ? (branches[records.branch[i]!] ?? "") : ""},` +
      `${ms(records.queueMs[i]!)},${ms(records.prefillMs[i]!)},${ms(records.kvTransferMs[i]!)},` +
      `${ms(ttftMs[i]!)},${ms(tpotMs[i]!)},${ms(e2eMs[i]!)},${ms(records.itlP99Ms[i]!)},` +
      `${records.cachedTokens[i]!},${records.preemptions[i]!},${STATUSES[records.status[i]!]!}\n`;
    if ((i + 1) % ROWS_PER_CHUNK === 0) {
      yield chunk;
      chunk = "";
    }
  }
  if (chunk !== "") yield chunk;
}

/** Text of `timeline.csv` in chunks of many rows; `kv_usage` is a share, 0..1. */
export function* timelineCsv(run: RunResult): Generator<string> {
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
function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function ms(value: number): string {
  return Number.isNaN(value) ? "" : String(Math.round(value * 1e6) / 1e6);
}

function seconds(valueMs: number): string {
  return Number.isNaN(valueMs) ? "" : String(Math.round(valueMs * 1e6) / 1e9);
}
