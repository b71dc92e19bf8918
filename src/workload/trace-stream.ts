import { closeSync, openSync, readSync } from "node:fs";
import { basename } from "node:path";
import { InputError } from "../errors.js";
import type { Random } from "../values/random.js";
import { MAX_BLOCK_ID } from "./block-table-builder.js";
import { FieldError } from "./formats/fields.js";
import type { CsvFormat, JsonLinesFormat, TraceFormat } from "./formats/format.js";
import { traceFormat } from "./formats/trace-formats.js";
import { LineSplitter } from "./line-batches.js";
import { csvLineReader, jsonLineReader, LineError, type LineReader } from "./line-readers.js";
import { detectTick, spreadWithinTicks, tickNote } from "./ticks.js";
import { fileError, readHead } from "./trace-bytes.js";
import type { BlockWriter, TraceRow, TraceRows } from "./trace-rows.js";

/** Requests that show the resolution of the times, the size of blocks and what they cover. */
const FIRST_ROWS = 16_384;
/** Blocks met since, after which a block that does not come again may be forgotten. */
const REMEMBERED_BLOCKS = 4_194_304;
const CHUNK_BYTES = 256 * 1024;

/** What is done to a trace that is read on the way. */
export interface TraceStreamOptions {
  /** Name of a format; "auto" looks at the first line. */
  readonly format: string;
  readonly skipBadLines: boolean;
  /** The first requests only; Infinity = all. */
  readonly requests: number;
  /** Draws times within ticks that are coarser than the traffic; null = times stay as they are. */
  readonly jitter: Random | null;
  /** False where other times take the place of the trace's. */
  readonly keepsTimes: boolean;
  /** Whether think times of later turns may be passed over. */
  readonly ignoresThinkTimes: boolean;
}

/** A row with the runs of its blocks: first id and number of ids of each. */
interface StreamedRow {
  readonly row: TraceRow;
  readonly text: { readonly runs: readonly number[] };
}

/** What takes the requests. */
export interface RowSink {
  add(row: TraceRow, text: { readonly runs: readonly number[] } | null): void;
}

/**
 * The requests of a trace file one after the other: the file is read as far as it is needed, and what was read is
 * forgotten. They are those that `readTrace` and `buildWorkload` give of the same file, provided that its first
 * 16,384 requests show what all of it is like and no prefix comes back after four million other blocks.
 */
export class TraceStream {
  private readonly path: string;
  private readonly options: TraceStreamOptions;
  private readonly lines: Generator<readonly [number, string], void>;
  private readonly readLine: LineReader;
  private readonly rows: RowQueue;
  private readonly tickMs: number;
  private formatName = "";
  private readonly startMs: number;
  private isSettled = false;
  private emitted = 0;
  private isAtEnd = false;
  private badLines = 0;
  private firstBadLine = 0;

  /** Tokens of one block id, and whether blocks cover outputs, as the first requests have it. */
  readonly blockTokens: number;
  readonly coversOutput: boolean;

  private constructor(path: string, options: TraceStreamOptions, isJson: boolean) {
    this.path = path;
    this.options = options;
    this.rows = new RowQueue(path, options.ignoresThinkTimes);
    this.lines = linesOf(path);
    this.readLine = this.lineReader(isJson);
    while (this.rows.count < FIRST_ROWS && this.rows.read < options.requests && this.readOne());
    if (this.rows.count === 0) throw this.isEmpty();
    this.startMs = this.rows.at(0).row.arrivalMs;
    this.tickMs = this.rows.tickMs ?? detectTick(this.rows.arrivals());
    this.blockTokens = this.rows.blockTokens;
    this.coversOutput = this.rows.coversOutput;
    this.isSettled = true;
  }

  /**
   * @throws InputError for a file that cannot be read in one pass, is missing, empty or of no known format; and for a
   * line among the first ones that cannot be read.
   */
  static async open(path: string, options: TraceStreamOptions): Promise<TraceStream> {
    const { isGzip, isJson } = await readHead(path);
    if (isGzip) throw notStreamed(path, "is packed by gzip", "an unpacked file");
    return new TraceStream(path, options, isJson);
  }

  /** Everything has been emitted. */
  isOver(): boolean {
    return this.emitted > 0 && this.rows.count === 0 && !this.readOne();
  }

  /** Adds the next requests: those that share an instant come together where they are spread over a tick. */
  emit(requests: RowSink): void {
    const group = this.nextGroup();
    const times = this.timesOf(group);
    group.forEach(({ row, text }, i) => requests.add({ ...row, arrivalMs: times[i]! }, text));
    this.emitted += group.length;
  }

  /** What a reader should know; complete when everything has been emitted. */
  get notes(): readonly string[] {
    const { rows, tickMs, options } = this;
    const notes: string[] = [];
    if (this.badLines > 0) {
      const which = this.badLines === 1 ? "1 bad line was" : `${this.badLines} bad lines were`;
      notes.push(`${which} skipped, the first is line ${this.firstBadLine}.`);
    }
    notes.push(...rows.notes());
    if (options.requests < Infinity && this.emitted < options.requests) {
      notes.push(`The trace has only ${this.emitted} requests, ${options.requests} were asked for.`);
    }
    if (tickMs > 0 && options.keepsTimes) notes.push(tickNote(tickMs, options.jitter !== null));
    return notes;
  }

  private nextGroup(): StreamedRow[] {
    const { rows } = this;
    if (rows.count === 0) this.readOne();
    const group = rows.count === 0 ? [] : [rows.shift()];
    if (!this.spreads || group.length === 0) return group;
    const atMs = group[0]!.row.arrivalMs;
    while (rows.count > 0 || this.readOne()) {
      if (rows.at(0).row.arrivalMs !== atMs) break;
      group.push(rows.shift());
    }
    return group;
  }

  private get spreads(): boolean {
    return this.options.keepsTimes && this.options.jitter !== null && this.tickMs > 0;
  }

  /** From the trace's first arrival on, within their tick where that is asked for. */
  private timesOf(group: readonly StreamedRow[]): Float64Array {
    const { rows, startMs } = this;
    const times = group.map(({ row }) => row.arrivalMs - startMs);
    if (!this.spreads) return Float64Array.from(times);
    // The instant after the group bounds the tick.
    const next = rows.count > 0 ? [rows.at(0).row.arrivalMs - startMs] : [];
    return spreadWithinTicks(Float64Array.from(times), this.tickMs, this.options.jitter!, next[0]);
  }

  /** Reads until there is one request more; false = there is none. */
  private readOne(): boolean {
    const { rows } = this;
    const wanted = rows.read + 1;
    if (wanted > this.options.requests) return false;
    while (rows.read < wanted && !this.isAtEnd) {
      const next = this.lines.next();
      if (next.done === true) this.isAtEnd = true;
      else this.attempt(...next.value);
    }
    return rows.read === wanted;
  }

  private attempt(number: number, line: string): void {
    this.rows.line = number;
    try {
      this.readLine(line);
    } catch (error) {
      if (!(error instanceof FieldError || error instanceof LineError)) throw error;
      const isFatal = error instanceof LineError && error.isFatal;
      if (isFatal || !this.options.skipBadLines)
        throw new InputError(`${this.path}:${number}: ${error.message}`);
      this.rows.dropBlocks();
      if (this.badLines++ === 0) this.firstBadLine = number;
    }
    if (this.isSettled) this.expectAlike(number);
  }

  /** The run goes by what the first requests have. */
  private expectAlike(number: number): void {
    const { rows, blockTokens, coversOutput } = this;
    if (rows.blockTokens === blockTokens && (coversOutput || !rows.coversOutput)) return;
    throw notStreamed(
      `${this.path}:${number}`,
      `has other blocks than the first ${FIRST_ROWS} requests, or the first that cover an output`,
      "a trace that is alike from its beginning",
    );
  }

  private lineReader(isJson: boolean): LineReader {
    const { format } = this.options;
    const named = format === "auto" ? null : traceFormat(format);
    if (named?.kind === "csv" && isJson) {
      const header = named.fields.join(", ");
      throw new InputError(`${this.path}:1: got JSON, expected a header with ${header} (${named.name})`);
    }
    const open = (found: TraceFormat): TraceRows => this.openRows(found);
    return (named?.kind ?? (isJson ? "jsonl" : "csv")) === "jsonl"
      ? jsonLineReader(named as JsonLinesFormat | null, open)
      : csvLineReader(named as CsvFormat | null, open);
  }

  private openRows(format: TraceFormat): TraceRows {
    if (format.name === "llmservingsim") {
      throw notStreamed(
        this.path,
        "is llmservingsim, whose blocks are compared token by token",
        "another format",
      );
    }
    this.formatName = format.name;
    this.rows.blockTokens = format.blockTokens;
    return this.rows;
  }

  private isEmpty(): InputError {
    const skipped = this.badLines > 0 ? ` (${this.badLines} bad lines skipped)` : "";
    return new InputError(`${this.path}: no requests, expected at least one${skipped}`);
  }

  /** The file and its format, as in `RawTrace.source`. */
  get name(): string {
    return `${basename(this.path)} (${this.formatName})`;
  }
}

/** Requests that have been read and not yet been sent on, with the blocks of the one that is being read. */
class RowQueue implements TraceRows {
  blockTokens = 0;
  tickMs: number | null = null;
  coversOutput = false;
  readonly blocks = new RowBlocks();
  /** Requests read so far. */
  read = 0;
  /** Number of the line that is being read. */
  line = 0;

  private readonly path: string;
  private readonly ignoresThinkTimes: boolean;
  private queue: StreamedRow[] = [];
  private first = 0;
  private latestMs = -Infinity;
  private zeroOutputs = 0;
  private failures = 0;

  constructor(path: string, ignoresThinkTimes: boolean) {
    this.path = path;
    this.ignoresThinkTimes = ignoresThinkTimes;
  }

  get count(): number {
    return this.queue.length - this.first;
  }

  at(place: number): StreamedRow {
    return this.queue[this.first + place]!;
  }

  arrivals(): Float64Array {
    return Float64Array.from(this.queue.slice(this.first), ({ row }) => row.arrivalMs);
  }

  shift(): StreamedRow {
    const row = this.queue[this.first++]!;
    if (2 * this.first >= this.queue.length) {
      this.queue = this.queue.slice(this.first);
      this.first = 0;
    }
    return row;
  }

  add(row: TraceRow): void {
    if (row.arrivalMs < this.latestMs) {
      const where = `${this.path}:${this.line}`;
      throw notStreamed(where, "arrives before the request above it", "requests in order of arrival");
    }
    if (row.thinkMs !== undefined && !this.ignoresThinkTimes) {
      const where = `${this.path}:${this.line}`;
      throw notStreamed(
        where,
        "has a think time, and later turns are not known before",
        "`sessions: independent`",
      );
    }
    this.latestMs = row.arrivalMs;
    if (row.outputTokens === 0) this.zeroOutputs++;
    this.queue.push({ row, text: { runs: this.blocks.take() } });
    this.read++;
  }

  addFailure(): void {
    this.failures++;
  }

  /** Forgets the blocks of a line that turned out bad. */
  dropBlocks(): void {
    this.blocks.take();
  }

  notes(): string[] {
    const notes: string[] = [];
    if (this.failures > 0) {
      notes.push(`Requests that failed in the trace are left out: ${this.failures}.`);
    }
    if (this.zeroOutputs > 0) {
      notes.push(`Requests with 0 output tokens are taken to generate 1: ${this.zeroOutputs} of them.`);
    }
    return notes;
  }
}

/** The blocks of one request at a time. */
class RowBlocks implements BlockWriter {
  readonly remembered = REMEMBERED_BLOCKS;
  distinct = 0;
  private runs: number[] = [];

  allocate(count: number): number {
    const first = this.distinct;
    this.distinct += count;
    if (this.distinct > MAX_BLOCK_ID) {
      throw new InputError(`the trace has more than ${MAX_BLOCK_ID} different blocks, expected fewer`);
    }
    return first;
  }

  append(first: number, count: number): void {
    const { runs } = this;
    const last = runs.length - 2;
    if (last >= 0 && runs[last]! + runs[last + 1]! === first) runs[last + 1]! += count;
    else runs.push(first, count);
  }

  take(): readonly number[] {
    const { runs } = this;
    this.runs = [];
    return runs;
  }
}

/** The lines of a file that are not blank and their numbers, read as they are asked for. */
function* linesOf(path: string): Generator<readonly [number, string], void> {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    throw fileError(path, error);
  }
  try {
    const splitter = new LineSplitter();
    const chunk = Buffer.alloc(CHUNK_BYTES);
    let number = 0;
    for (;;) {
      const length = readSync(file, chunk);
      for (const line of length > 0 ? splitter.push(chunk.subarray(0, length)) : splitter.end()) {
        number++;
        if (line.trim() !== "") yield [number, line];
      }
      if (length === 0) return;
    }
  } finally {
    closeSync(file);
  }
}

function notStreamed(what: string, why: string, expected: string): InputError {
  return new InputError(`--stream: ${what}: ${why}; expected ${expected}`);
}
