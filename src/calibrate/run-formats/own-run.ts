import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { InputError } from "../../errors.js";
import type { MeasuredRun, TimelineSample } from "../measured-run.js";
import { readRunSettings } from "../run-settings.js";

const REQUEST_FIELDS = [
  "arrival_s",
  "input_tokens",
  "output_tokens",
  "ttft_ms",
  "tpot_ms",
  "e2e_ms",
  "status",
];

type Record_ = Readonly<Record<string, string>>;

/**
 * A run directory of pdbench (`replay`, `simulate`): TTFT and E2E begin at the client. Requests that did not
 * complete are left out; engine settings come from a `meta.json` beside it, where there is one.
 * @throws InputError naming the file and the column that is missing.
 */
export function readOwnRun(directory: string): MeasuredRun {
  const file = join(directory, "requests.csv");
  const all = readRecords(file, REQUEST_FIELDS);
  const rows = all.filter((row) => row["status"] === "completed");
  if (rows.length === 0) throw new InputError(`${file}: no completed requests, expected at least one`);
  rows.sort((a, b) => number(a, "arrival_s") - number(b, "arrival_s"));
  const startS = number(rows[0]!, "arrival_s");
  const column = (of: (row: Record_) => number): Float64Array => Float64Array.from(rows, of);
  const arrivalMs = column((row) => (number(row, "arrival_s") - startS) * 1e3);
  const ttftMs = column((row) => number(row, "ttft_ms"));
  const e2eMs = column((row) => number(row, "e2e_ms"));
  const unknown = new Float64Array(rows.length).fill(NaN);
  return {
    path: directory,
    startsAt: "client",
    requests: {
      count: rows.length,
      inputTokens: Int32Array.from(rows, (row) => number(row, "input_tokens")),
      outputTokens: Int32Array.from(rows, (row) => number(row, "output_tokens")),
      arrivalMs,
      queuedMs: unknown,
      scheduledMs: unknown,
      firstTokenMs: arrivalMs.map((ms, row) => ms + ttftMs[row]!),
      lastTokenMs: arrivalMs.map((ms, row) => ms + e2eMs[row]!),
      ttftMs,
      tpotMs: column((row) => number(row, "tpot_ms")),
      e2eMs,
    },
    timeline: readTimeline(join(directory, "timeline.csv")),
    settings: readRunSettings(join(directory, "meta.json")),
  };
}

/** The state of all workers together. */
function readTimeline(file: string): TimelineSample[] {
  if (!existsSync(file)) return [];
  const byTime = new Map<number, { running: number; waiting: number; usage: number; workers: number }>();
  for (const row of readRecords(file, ["time_s", "running", "waiting", "kv_usage"])) {
    const atMs = number(row, "time_s") * 1e3;
    const sum = byTime.get(atMs) ?? { running: 0, waiting: 0, usage: 0, workers: 0 };
    sum.running += number(row, "running");
    sum.waiting += number(row, "waiting");
    sum.usage += number(row, "kv_usage");
    sum.workers++;
    byTime.set(atMs, sum);
  }
  return [...byTime].map(([atMs, { running, waiting, usage, workers }]) => ({
    atMs,
    running,
    waiting,
    kvUsage: usage / workers,
  }));
}

function readRecords(file: string, fields: readonly string[]): Record_[] {
  const records = parse<Record<string, string>>(readFileSync(file, "utf8"), { columns: true });
  const missing = fields.find((field) => records[0] !== undefined && !(field in records[0]));
  if (missing !== undefined) throw new InputError(`${file}:1: column ${missing} is missing`);
  return records;
}

/** The number in a field; NaN where it is empty. */
function number(row: Record_, field: string): number {
  const text = row[field] ?? "";
  return text === "" ? NaN : Number(text);
}
