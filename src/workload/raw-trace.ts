import type { BlockTable } from "../values/block-span.js";

/**
 * The requests of a trace or a generator, before it is settled when they are sent: columns as in `Workload`,
 * rows in order of arrival. One raw trace serves any number of arrival settings (`buildWorkload`).
 */
export interface RawTrace {
  /** What it is, for messages: a file name and its format, or a generator. */
  readonly source: string;
  readonly count: number;
  /** Non-decreasing; the first request arrives at 0. */
  readonly arrivalMs: Float64Array;
  /** Resolution of `arrivalMs` where it is coarser than the traffic (3 s in Mooncake's traces), else 0. */
  readonly tickMs: number;
  readonly inputTokens: Int32Array;
  readonly outputTokens: Int32Array;
  /** Runs of request i are `[runOffset[i], runOffset[i + 1])` of `blocks`. */
  readonly blocks: BlockTable;
  readonly runOffset: Float64Array;
  /** Ids are below this number. */
  readonly distinctBlocks: number;
  /** False where the source gave no block ids: every span is empty. */
  readonly hasBlocks: boolean;
  /** The ids cover what a request generates too, and only blocks that it fills. */
  readonly coversOutput: boolean;
  /** Session number, or -1; numbers are dense, in order of first appearance. */
  readonly session: Int32Array;
  readonly priority: Int32Array;
  /** NaN = the client never gives up. */
  readonly cancelAfterMs: Float64Array;
  /** Think time before a later turn of a session; NaN where the source does not tell. */
  readonly thinkMs: Float64Array;
  /** What a reader should know of how the trace was made or read: one sentence each. */
  readonly notes: readonly string[];
}

/** The ids of a request's prompt are the first of its span; this is how many of them can be there at most. */
export function promptBlocks(trace: RawTrace, row: number): number {
  const blocks = trace.inputTokens[row]! / trace.blocks.blockTokens;
  // A block that prompt and output share belongs to the prompt only where the output is not covered.
  return trace.coversOutput ? Math.floor(blocks) : Math.ceil(blocks);
}
