import { BlockTableBuilder } from "./block-table-builder.js";
import { float64Column, int32Column, type Column, type ColumnArray } from "./column.js";
import type { RawTrace } from "./raw-trace.js";
import { detectTick } from "./ticks.js";
import type { TraceRow, TraceRows } from "./trace-rows.js";

/** Collects the rows of a trace. The blocks of a row are written to `blocks` before `add` ends the row. */
export class RawTraceBuilder implements TraceRows {
  readonly blocks = new BlockTableBuilder();
  /** Tokens one block id stands for. */
  blockTokens: number;
  /** Resolution of the times: known (0 = exact), or null = to be found out from them. */
  tickMs: number | null = null;
  coversOutput = false;
  readonly notes: string[] = [];

  private readonly arrivalMs;
  private readonly inputTokens;
  private readonly outputTokens;
  private readonly session;
  private readonly priority;
  private readonly cancelAfterMs;
  private readonly thinkMs;
  private readonly limit: number;
  private zeroOutputs = 0;
  private failures = 0;

  /**
   * @param capacity how many rows to make room for, where that is known.
   * @param limit rows that `take` keeps; more may be added, for the resolution of the times to show.
   */
  constructor(
    blockTokens: number,
    { capacity, limit = Infinity }: { capacity?: number; limit?: number } = {},
  ) {
    this.blockTokens = blockTokens;
    this.limit = limit;
    this.arrivalMs = float64Column(capacity);
    this.inputTokens = int32Column(capacity);
    this.outputTokens = int32Column(capacity);
    this.session = int32Column(capacity);
    this.priority = int32Column(capacity);
    this.cancelAfterMs = float64Column(capacity);
    this.thinkMs = float64Column(capacity);
  }

  get count(): number {
    return this.arrivalMs.length;
  }

  /** Ends a row. An output of 0 tokens counts as 1: an engine cannot generate less. */
  add(row: TraceRow): void {
    if (row.outputTokens === 0 && this.count < this.limit) this.zeroOutputs++;
    this.arrivalMs.push(row.arrivalMs);
    this.inputTokens.push(row.inputTokens);
    this.outputTokens.push(Math.max(1, row.outputTokens));
    this.session.push(row.session ?? -1);
    this.priority.push(row.priority ?? 0);
    this.cancelAfterMs.push(row.cancelAfterMs ?? NaN);
    this.thinkMs.push(row.thinkMs ?? NaN);
    this.blocks.endRow();
  }

  /** Counts a request that failed, by what the source says, and is left out. */
  addFailure(): void {
    if (this.count < this.limit) this.failures++;
  }

  /** The rows in order of arrival; the builder must not be used afterwards. */
  take(source: string): RawTrace {
    const arrivals = this.arrivalMs.take();
    const tickMs = this.tickMs ?? detectTick(arrivals);
    const count = Math.min(this.limit, arrivals.length);
    const cut = <A extends ColumnArray>(column: Column<A>): A => {
      column.truncate(count);
      return column.take();
    };
    const { blocks: table, runOffset } = this.blocks.take(count, this.blockTokens);
    const hasBlocks = table.runId.length > 0;
    const blocks = { ...table, coversOutput: this.coversOutput && hasBlocks };
    const trace: RawTrace = {
      source,
      count,
      arrivalMs: count === arrivals.length ? arrivals : arrivals.slice(0, count),
      tickMs,
      inputTokens: cut(this.inputTokens),
      outputTokens: cut(this.outputTokens),
      blocks,
      runOffset,
      distinctBlocks: distinctBlocks(blocks),
      hasBlocks,
      coversOutput: this.coversOutput,
      session: cut(this.session),
      priority: cut(this.priority),
      cancelAfterMs: cut(this.cancelAfterMs),
      thinkMs: cut(this.thinkMs),
      notes: this.allNotes(),
    };
    return startAtZero(inOrderOfArrival(trace));
  }

  private allNotes(): string[] {
    const notes = [...this.notes];
    if (this.failures > 0) {
      notes.push(`Requests that failed in the trace are left out: ${this.failures}.`);
    }
    if (this.zeroOutputs > 0) {
      notes.push(`Requests with 0 output tokens are taken to generate 1: ${this.zeroOutputs} of them.`);
    }
    return notes;
  }
}

/** Ids are dense, so their number is one more than the highest. */
function distinctBlocks({ runId, runCount }: RawTrace["blocks"]): number {
  let distinct = 0;
  for (let run = 0; run < runId.length; run++) distinct = Math.max(distinct, runId[run]! + runCount[run]!);
  return distinct;
}

function startAtZero(trace: RawTrace): RawTrace {
  const startMs = trace.count > 0 ? trace.arrivalMs[0]! : 0;
  if (startMs !== 0) for (let row = 0; row < trace.count; row++) trace.arrivalMs[row]! -= startMs;
  return trace;
}

/** The trace with its rows sorted by arrival; rows that arrive together keep their order. */
function inOrderOfArrival(trace: RawTrace): RawTrace {
  const late = countLateRows(trace.arrivalMs);
  if (late === 0) return trace;
  const { arrivalMs, runOffset, blocks } = trace;
  const order = Int32Array.from(arrivalMs, (_, row) => row);
  order.sort((a, b) => arrivalMs[a]! - arrivalMs[b]! || a - b);
  const ordered = <A extends ColumnArray>(column: A): A => column.map((_, row) => column[order[row]!]!) as A;
  const table = new BlockTableBuilder();
  for (const row of order) {
    for (let run = runOffset[row]!; run < runOffset[row + 1]!; run++) {
      table.append(blocks.runId[run]!, blocks.runCount[run]!);
    }
    table.endRow();
  }
  return {
    ...trace,
    ...table.take(trace.count, blocks.blockTokens),
    arrivalMs: ordered(arrivalMs),
    inputTokens: ordered(trace.inputTokens),
    outputTokens: ordered(trace.outputTokens),
    session: ordered(trace.session),
    priority: ordered(trace.priority),
    cancelAfterMs: ordered(trace.cancelAfterMs),
    thinkMs: ordered(trace.thinkMs),
    notes: [...trace.notes, `${late} rows were not in order of arrival; the trace was sorted.`],
  };
}

function countLateRows(arrivalMs: Float64Array): number {
  let late = 0;
  let latestMs = -Infinity;
  for (const atMs of arrivalMs) {
    if (atMs < latestMs) late++;
    else latestMs = atMs;
  }
  return late;
}
