import { basename } from "node:path";
import { InputError } from "../errors.js";
import { csvRows, CsvSyntaxError } from "./csv-rows.js";
import { FieldError, show } from "./formats/fields.js";
import type { CsvFormat, JsonLinesFormat, JsonRecord, TraceFormat } from "./formats/format.js";
import { csvFormatOf, jsonLinesFormatOf, knownFields, traceFormat } from "./formats/trace-formats.js";
import { columnOf } from "./formats/csv-fields.js";
import { lineBatches } from "./line-batches.js";
import { RawTraceBuilder } from "./raw-trace-builder.js";
import type { RawTrace } from "./raw-trace.js";
import { toShared } from "./shared-columns.js";
import { readHead, traceBytes } from "./trace-bytes.js";

export interface ReadTraceOptions {
  /** Name of a format; "auto" looks at the first line. */
  readonly format?: string;
  /** The first requests only. */
  readonly limit?: number;
  /** Pass over lines that cannot be read and count them, instead of refusing the file. */
  readonly skipBadLines?: boolean;
  /** Put the columns into shared memory, for worker threads. */
  readonly shared?: boolean;
}

/** Rows read even where fewer are wanted: the resolution of the times shows only over many. */
const ROWS_TO_JUDGE_TIMES = 1000;

/**
 * Reads a trace file of any known format, plain or gzip, as a stream: besides the columns, memory does not
 * grow with the file.
 *
 * @throws InputError `FILE:LINE: field "x": got VALUE, expected ...` for a line that cannot be read; also for
 * a file that is missing, empty or of no known format.
 */
export async function readTrace(path: string, options: ReadTraceOptions = {}): Promise<RawTrace> {
  const named = (options.format ?? "auto") === "auto" ? null : traceFormat(options.format!);
  const { isGzip, isJson } = await readHead(path);
  const reading = new TraceReading(path, options);
  const bytes = traceBytes(path, isGzip);
  if (named?.kind === "csv" && isJson) {
    throw new InputError(
      `${path}:1: got JSON, expected a header with ${named.fields.join(", ")} (${named.name})`,
    );
  }
  const kind = named?.kind ?? (isJson ? "jsonl" : "csv");
  if (kind === "jsonl") await readJsonLines(reading, bytes, named as JsonLinesFormat | null);
  else await readCsv(reading, bytes, named as CsvFormat | null);
  const trace = reading.take();
  return options.shared === true ? toShared(trace) : trace;
}

async function readJsonLines(
  reading: TraceReading,
  bytes: AsyncIterable<Buffer>,
  named: JsonLinesFormat | null,
): Promise<void> {
  let read: ((record: JsonRecord) => void) | null = null;
  let number = 0;
  for await (const lines of lineBatches(bytes)) {
    for (const line of lines) {
      number++;
      if (line === "" || line.trim() === "") continue;
      const goesOn = reading.attempt(number, () => {
        const record = parseObject(line);
        if (read === null) {
          const format = named ?? jsonLinesFormatOf(record);
          if (format === null) throw unknownFormat("jsonl", Object.keys(record));
          read = format.openReader(reading.open(format));
        }
        read(record);
      });
      if (!goesOn) return;
    }
  }
}

async function readCsv(
  reading: TraceReading,
  bytes: AsyncIterable<Buffer>,
  named: CsvFormat | null,
): Promise<void> {
  let read: ((row: readonly string[]) => void) | null = null;
  const onBadRow = reading.skipsBadLines ? (error: CsvSyntaxError) => reading.skip(error.line) : null;
  try {
    for await (const { line, fields } of csvRows(bytes, onBadRow)) {
      if (read === null) {
        read = openCsv(reading, line, fields, named);
        continue;
      }
      const readRow = read;
      if (!reading.attempt(line, () => readRow(fields))) return;
    }
  } catch (error) {
    if (!(error instanceof CsvSyntaxError)) throw error;
    throw reading.error(error.line, `not CSV (${error.message})`);
  }
}

function openCsv(
  reading: TraceReading,
  line: number,
  header: readonly string[],
  named: CsvFormat | null,
): (row: readonly string[]) => void {
  const format = named ?? csvFormatOf(header);
  if (format === null) throw reading.error(line, unknownFormat("csv", header).message);
  const missing = format.fields.find((field) => columnOf(header, field) < 0);
  if (missing !== undefined) {
    throw reading.error(line, `header: got ${show(header.join(","))}, expected a column "${missing}"`);
  }
  return format.openReader(reading.open(format), header);
}

/** A line that cannot be read; the message lacks file and line. */
class LineError extends Error {}

function parseObject(line: string): JsonRecord {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new LineError(`got ${show(line)}, expected a JSON object`);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonRecord;
  throw new LineError(`got ${show(value)}, expected a JSON object`);
}

function unknownFormat(kind: TraceFormat["kind"], fields: readonly string[]): LineError {
  const got = show(fields.join(", "));
  return new LineError(`format not recognised: got fields ${got}, expected those of ${knownFields(kind)}`);
}

/** The state of one reading: where rows go, which lines were bad, when it is enough. */
class TraceReading {
  readonly skipsBadLines: boolean;
  private readonly path: string;
  private readonly limit: number;
  private trace: RawTraceBuilder | null = null;
  private formatName = "";
  private badLines = 0;
  private firstBadLine = 0;

  constructor(path: string, { limit, skipBadLines }: ReadTraceOptions) {
    this.path = path;
    this.limit = limit ?? Infinity;
    this.skipsBadLines = skipBadLines ?? false;
  }

  open(format: TraceFormat): RawTraceBuilder {
    this.formatName = format.name;
    this.trace = new RawTraceBuilder(format.blockTokens);
    return this.trace;
  }

  /** Reads one line with `read` and returns whether to go on. */
  attempt(line: number, read: () => void): boolean {
    try {
      read();
    } catch (error) {
      if (!(error instanceof FieldError || error instanceof LineError)) throw error;
      // What comes after the wanted rows serves only to judge the times.
      if (this.count >= this.limit) return false;
      if (!this.skipsBadLines) throw this.error(line, error.message);
      this.skip(line);
    }
    return this.count < Math.max(this.limit, ROWS_TO_JUDGE_TIMES);
  }

  skip(line: number): void {
    if (this.badLines++ === 0) this.firstBadLine = line;
  }

  error(line: number, message: string): InputError {
    return new InputError(`${this.path}:${line}: ${message}`);
  }

  /** @throws InputError when there was no request. */
  take(): RawTrace {
    if (this.trace === null || this.trace.count === 0) {
      const skipped = this.badLines > 0 ? ` (${this.badLines} bad lines skipped)` : "";
      throw new InputError(`${this.path}: no requests, expected at least one${skipped}`);
    }
    if (this.badLines > 0) {
      const which = this.badLines === 1 ? "1 bad line was" : `${this.badLines} bad lines were`;
      this.trace.notes.push(`${which} skipped, the first is line ${this.firstBadLine}.`);
    }
    if (this.limit < Infinity && this.trace.count < this.limit) {
      this.trace.notes.push(`The trace has only ${this.trace.count} requests, ${this.limit} were asked for.`);
    }
    return this.trace.take(`${basename(this.path)} (${this.formatName})`, this.limit);
  }

  private get count(): number {
    return this.trace?.count ?? 0;
  }
}
