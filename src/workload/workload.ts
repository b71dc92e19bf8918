import type { BlockSpan, BlockTable } from "../values/block-span.js";

/**
 * The requests of one run, as columns. Row `i` is request `i`; rows are in order of arrival (ties in the
 * order of the trace). Columns may be views of shared memory, so that the worker threads of a sweep read
 * one copy; nothing writes to them after they are built.
 */
export interface Workload {
  readonly count: number;
  /** Intended send time, ms from the start of the run. NaN for a later turn of a session (see `previous`). */
  readonly arrivalMs: Float64Array;
  readonly inputTokens: Int32Array;
  readonly outputTokens: Int32Array;
  /** Runs of request i are `[runOffset[i], runOffset[i + 1])` of `blocks`. */
  readonly blocks: BlockTable;
  readonly runOffset: Float64Array;
  /** Session number, or -1. Requests of one session carry the same routing key. */
  readonly session: Int32Array;
  /** Smaller is served first (vLLM's `priority`). */
  readonly priority: Int32Array;
  /** Time after its send at which the client gives up, ms; NaN = never. */
  readonly cancelAfterMs: Float64Array;
  /** Row of the turn that must end before this one is sent, or -1. */
  readonly previous: Int32Array;
  /** Think time between the end of `previous` and this send, ms. */
  readonly thinkMs: Float64Array;
  /**
   * Closed loop: at most this many requests are open at once, a new one is sent when one ends, in row order,
   * and `arrivalMs` is ignored. 0 = open loop.
   */
  readonly concurrency: number;
  /** False where the source gave no block ids: prefixes are then never shared and hit rates are unknown. */
  readonly hasBlocks: boolean;
  /** What a reader should know of how the workload was made: one sentence each, printed with the results. */
  readonly notes: readonly string[];
}

/** The content of request `row`: blocks of its prompt, then of its output as far as the source knows them. */
export function blockSpanOf(workload: Workload, row: number): BlockSpan {
  return { table: workload.blocks, start: workload.runOffset[row]!, end: workload.runOffset[row + 1]! };
}
