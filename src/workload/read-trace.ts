import { basename } from "node:path";
import { InputError } from "../errors.js";
import { FieldError } from "./formats/fields.js";
import type { CsvFormat, JsonLinesFormat, TraceFormat } from "./formats/format.js";
import { traceFormat } from "./formats/trace-formats.js";
import { lineBatches } from "./line-batches.js";
import { csvLineReader, jsonLineReader, LineError, type LineReader, type OpenTrace } from "./line-readers.js";
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
  if (named?.kind === "csv" && isJson) {
    throw new InputError(
      `${path}:1: got JSON, expected a header with ${named.fields.join(", ")} (${named.name})`,
    );
  }
  const reading = new TraceReading(path, options);
  const readLine = lineReader(named, isJson, (format) => reading.open(format));
  const limit = Math.max(options.limit ?? Infinity, ROWS_TO_JUDGE_TIMES);
  await readLines(path, isGzip, (number, line) => {
    reading.attempt(number, line, readLine);
    return !reading.isOver && reading.count < limit;
  });
  const trace = reading.take();
  return options.shared === true ? toShared(trace) : trace;
}

function lineReader(named: TraceFormat | null, isJson: boolean, open: OpenTrace): LineReader {
  const kind = named?.kind ?? (isJson ? "jsonl" : "csv");
  return kind === "jsonl"
    ? jsonLineReader(named as JsonLinesFormat | null, open)
    : csvLineReader(named as CsvFormat | null, open);
}

/** Calls `visit` with the lines that are not blank and their numbers, until it returns false. */
async function readLines(
  path: string,
  isGzip: boolean,
  visit: (number: number, line: string) => boolean,
): Promise<void> {
  let number = 0;
  for await (const lines of lineBatches(traceBytes(path, isGzip))) {
    for (const line of lines) {
      number++;
      if (line === "" || line === "\r" || line.trim() === "") continue;
      if (!visit(number, line)) return;
    }
  }
}

/** The state of one reading: where rows go, which lines were bad, whether it is over. */
class TraceReading {
  /** What comes after the wanted rows cannot be read. */
  isOver = false;
  private readonly path: string;
  private readonly limit: number;
  private readonly skipsBadLines: boolean;
  private trace: RawTraceBuilder | null = null;
  private formatName = "";
  private badLines = 0;
  private firstBadLine = 0;

  constructor(path: string, { limit, skipBadLines }: ReadTraceOptions) {
    this.path = path;
    this.limit = limit ?? Infinity;
    this.skipsBadLines = skipBadLines ?? false;
  }

  get count(): number {
    return this.trace?.count ?? 0;
  }

  open(format: TraceFormat): RawTraceBuilder {
    this.formatName = format.name;
    this.trace = new RawTraceBuilder(format.blockTokens, { limit: this.limit });
    return this.trace;
  }

  /** @throws InputError when the line cannot be read, unless bad lines are skipped or it is not wanted. */
  attempt(number: number, line: string, read: LineReader): void {
    try {
      read(line);
    } catch (error) {
      if (!(error instanceof FieldError || error instanceof LineError)) throw error;
      const isFatal = error instanceof LineError && error.isFatal;
      if (this.count >= this.limit) this.isOver = true;
      else if (isFatal || !this.skipsBadLines)
        throw new InputError(`${this.path}:${number}: ${error.message}`);
      else if (this.badLines++ === 0) this.firstBadLine = number;
    }
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
    return this.trace.take(`${basename(this.path)} (${this.formatName})`);
  }
}
