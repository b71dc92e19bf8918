import { createReadStream, existsSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse";
import { InputError } from "../errors.js";
import { REQUEST_COLUMNS } from "../measure/run-files.js";

/** A row of `requests.csv`; NaN and the empty string where the file has nothing. */
export interface RequestRow {
  readonly id: number;
  readonly arrivalS: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly session: number;
  readonly path: string;
  readonly prefillWorker: string;
  readonly decodeWorker: string;
  readonly branch: string;
  readonly queueMs: number;
  readonly prefillMs: number;
  readonly kvTransferMs: number;
  readonly ttftMs: number;
  readonly tpotMs: number;
  readonly e2eMs: number;
  readonly itlP99Ms: number;
  readonly cachedTokens: number;
  readonly preemptions: number;
  readonly status: string;
}

/** State of one worker at one time. */
export interface WorkerSample {
  readonly timeS: number;
  readonly worker: string;
  readonly running: number;
  readonly waiting: number;
  readonly kvUsage: number;
}

/** The rows of `requests.csv`; null where the directory has none. */
export async function readRequests(directory: string): Promise<readonly RequestRow[] | null> {
  return readCsv(join(directory, "requests.csv"), REQUEST_COLUMNS, (row) => ({
    id: numberOf(row["id"]!),
    arrivalS: numberOf(row["arrival_s"]!),
    inputTokens: numberOf(row["input_tokens"]!),
    outputTokens: numberOf(row["output_tokens"]!),
    session: numberOf(row["session"]!),
    path: row["path"]!,
    prefillWorker: row["prefill_worker"]!,
    decodeWorker: row["decode_worker"]!,
    branch: row["branch"]!,
    queueMs: numberOf(row["queue_ms"]!),
    prefillMs: numberOf(row["prefill_ms"]!),
    kvTransferMs: numberOf(row["kv_transfer_ms"]!),
    ttftMs: numberOf(row["ttft_ms"]!),
    tpotMs: numberOf(row["tpot_ms"]!),
    e2eMs: numberOf(row["e2e_ms"]!),
    itlP99Ms: numberOf(row["itl_p99_ms"]!),
    cachedTokens: numberOf(row["cached_tokens"]!),
    preemptions: numberOf(row["preemptions"]!),
    status: row["status"]!,
  }));
}

/** The rows of `timeline.csv`; null where the directory has none. */
export async function readTimeline(directory: string): Promise<readonly WorkerSample[] | null> {
  const columns = ["time_s", "worker", "running", "waiting", "kv_usage"];
  return readCsv(join(directory, "timeline.csv"), columns, (row) => ({
    timeS: numberOf(row["time_s"]!),
    worker: row["worker"]!,
    running: numberOf(row["running"]!),
    waiting: numberOf(row["waiting"]!),
    kvUsage: numberOf(row["kv_usage"]!),
  }));
}

/** The rows of a CSV file of a run; null where there is no such file. */
export async function readCsv<Row>(
  path: string,
  columns: readonly string[],
  toRow: (record: Readonly<Record<string, string>>) => Row,
): Promise<readonly Row[] | null> {
  if (!existsSync(path)) return null;
  const rows: Row[] = [];
  const checkHeader = (header: string[]) => {
    const missing = columns.find((column) => !header.includes(column));
    if (missing !== undefined) throw new InputError(`${path}:1: column ${missing} is missing`);
    return header;
  };
  try {
    const records = createReadStream(path).pipe(parse({ columns: checkHeader }));
    for await (const record of records) rows.push(toRow(record as Record<string, string>));
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(
      `${path}: not a CSV file of a run: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return rows;
}

function numberOf(field: string): number {
  return field === "" ? Number.NaN : Number(field);
}
