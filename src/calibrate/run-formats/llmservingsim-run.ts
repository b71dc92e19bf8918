import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "../../errors.js";
import type { MeasuredRequests, MeasuredRun, TimelineSample } from "../measured-run.js";
import { readRunSettings } from "../run-settings.js";

const FIELDS = [
  "input_toks",
  "output_toks",
  "arrival_time",
  "queued_ts",
  "scheduled_ts",
  "first_token_ts",
  "last_token_ts",
] as const;

type Field = (typeof FIELDS)[number];
type Row = Record<Field, number>;

/**
 * A run recorded by LLMServingSim's bench: `requests.jsonl` with times in seconds (arrival on the wall clock,
 * the rest on the engine's), `meta.json`, and state once a second in `timeseries.csv`. TTFT and E2E begin in the
 * engine's queue, as in its `summary.txt`.
 */
export function readLlmservingsimRun(directory: string): MeasuredRun {
  const rows = readRows(join(directory, "requests.jsonl"));
  rows.sort((a, b) => a.arrival_time - b.arrival_time);
  const startS = rows[0]!.arrival_time;
  const engineStartS = Math.min(...rows.map((row) => row.queued_ts));
  const column = (of: (row: Row) => number): Float64Array => Float64Array.from(rows, of);
  const onEngineClock = (field: Field): Float64Array => column((row) => (row[field] - engineStartS) * 1e3);
  const requests: MeasuredRequests = {
    count: rows.length,
    inputTokens: Int32Array.from(rows, (row) => row.input_toks),
    outputTokens: Int32Array.from(rows, (row) => row.output_toks),
    arrivalMs: column((row) => (row.arrival_time - startS) * 1e3),
    queuedMs: onEngineClock("queued_ts"),
    scheduledMs: onEngineClock("scheduled_ts"),
    firstTokenMs: onEngineClock("first_token_ts"),
    lastTokenMs: onEngineClock("last_token_ts"),
    ttftMs: column((row) => (row.first_token_ts - row.queued_ts) * 1e3),
    tpotMs: column((row) =>
      row.output_toks < 2 ? NaN : ((row.last_token_ts - row.first_token_ts) * 1e3) / (row.output_toks - 1),
    ),
    e2eMs: column((row) => (row.last_token_ts - row.queued_ts) * 1e3),
  };
  return {
    path: directory,
    startsAt: "queue",
    requests,
    timeline: readTimeseries(join(directory, "timeseries.csv")),
    settings: readRunSettings(join(directory, "meta.json")),
  };
}

function readRows(file: string): Row[] {
  const rows: Row[] = [];
  readFileSync(file, "utf8")
    .split("\n")
    .forEach((line, index) => {
      if (line.trim() === "") return;
      rows.push(readRow(line, `${file}:${index + 1}`));
    });
  if (rows.length === 0) throw new InputError(`${file}: no requests, expected at least one`);
  return rows;
}

function readRow(line: string, where: string): Row {
  let record: Partial<Record<Field, unknown>>;
  try {
    record = JSON.parse(line) as Partial<Record<Field, unknown>>;
  } catch {
    throw new InputError(`${where}: not JSON, expected one object a line`);
  }
  for (const field of FIELDS) {
    const value = record[field];
    if (typeof value !== "number" || !Number.isFinite(value)) {
      throw new InputError(`${where}: field "${field}": got ${JSON.stringify(value)}, expected a number`);
    }
  }
  return record as Row;
}

/** `t` in seconds, `kv_cache_pct` in percent; a column of zeros means that it was not recorded. */
function readTimeseries(file: string): TimelineSample[] {
  if (!existsSync(file)) return [];
  const [header = "", ...lines] = readFileSync(file, "utf8").trim().split(/\r?\n/);
  const names = header.split(",");
  const at = (cells: readonly string[], name: string): number => Number(cells[names.indexOf(name)] ?? NaN);
  const cells = lines.map((line) => line.split(","));
  const hasUsage = cells.some((row) => at(row, "kv_cache_pct") > 0);
  return cells.map((row) => ({
    atMs: at(row, "t") * 1e3,
    running: at(row, "running"),
    waiting: at(row, "waiting"),
    kvUsage: hasUsage ? at(row, "kv_cache_pct") / 100 : NaN,
  }));
}
