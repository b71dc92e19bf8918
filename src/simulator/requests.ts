import type { BlockSpan } from "../values/block-span.js";
import { blockSpanOf, type Workload } from "../workload/workload.js";

/**
 * The requests of a run as a simulation goes through them. Rows are numbered from 0 in order of arrival; row `i` is at
 * `i & mask` of every column, which may hold no more than the requests that are still at work.
 */
export interface Requests {
  /** Rows in all. */
  readonly count: number;
  /** -1 where the columns hold every row; else the number of their places less 1. Grows with `has`. */
  readonly mask: number;
  readonly arrivalMs: Float64Array;
  readonly inputTokens: Int32Array;
  readonly outputTokens: Int32Array;
  readonly session: Int32Array;
  readonly priority: Int32Array;
  readonly cancelAfterMs: Float64Array;
  readonly thinkMs: Float64Array;
  /** Row that must end before this one is sent, or -1. */
  readonly previous: Int32Array;
  /** As in `Workload`. */
  readonly concurrency: number;
  /** Tokens that one id of a span stands for. */
  readonly blockTokens: number;
  /** Whether spans name blocks that the prompt shares with the output. */
  readonly coversOutput: boolean;
  /** What a reader should know of the requests; complete when the run is over. */
  readonly notes: readonly string[];
  /** Whether there is such a row; makes it, and all before it, where they are made on the way. */
  has(row: number): boolean;
  /** The row that waits for `row` to end, or -1. */
  nextTurn(row: number): number;
  spanOf(row: number): BlockSpan;
}

/** All rows of a workload, side by side. */
export class WholeRequests implements Requests {
  readonly mask = -1;
  readonly count: number;
  readonly arrivalMs: Float64Array;
  readonly inputTokens: Int32Array;
  readonly outputTokens: Int32Array;
  readonly session: Int32Array;
  readonly priority: Int32Array;
  readonly cancelAfterMs: Float64Array;
  readonly thinkMs: Float64Array;
  readonly previous: Int32Array;
  readonly concurrency: number;
  readonly blockTokens: number;
  readonly coversOutput: boolean;
  readonly notes: readonly string[];
  private readonly workload: Workload;
  private readonly turns: Int32Array;

  constructor(workload: Workload) {
    this.workload = workload;
    this.count = workload.count;
    this.arrivalMs = workload.arrivalMs;
    this.inputTokens = workload.inputTokens;
    this.outputTokens = workload.outputTokens;
    this.session = workload.session;
    this.priority = workload.priority;
    this.cancelAfterMs = workload.cancelAfterMs;
    this.thinkMs = workload.thinkMs;
    this.previous = workload.previous;
    this.concurrency = workload.concurrency;
    this.blockTokens = workload.blocks.blockTokens;
    this.coversOutput = workload.blocks.coversOutput === true;
    this.notes = workload.notes;
    this.turns = new Int32Array(workload.count).fill(-1);
    for (let row = 0; row < workload.count; row++) {
      const previous = workload.previous[row]!;
      if (previous >= 0) this.turns[previous] = row;
    }
  }

  has(row: number): boolean {
    return row < this.count;
  }

  nextTurn(row: number): number {
    return this.turns[row]!;
  }

  spanOf(row: number): BlockSpan {
    return blockSpanOf(this.workload, row);
  }
}
