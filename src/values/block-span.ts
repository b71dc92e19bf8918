/**
 * The token content of requests, as runs of prefix-block ids.
 *
 * Two requests share a prefix exactly as far as their ids agree from the start. Ids are dense integers given
 * in order of first appearance, so new content is a run of consecutive ids and a request is a handful of
 * runs, however long it is. An id stands for the block *and everything before it* (a chained hash), as in
 * vLLM's prefix cache and in Mooncake's `hash_ids`.
 *
 * The block size of a trace (512 tokens in Mooncake's) and of an engine (16 in vLLM) are separate: an
 * engine block `j` of trace block `id` has the key `id * (blockTokens / engineBlockSize) + j`.
 */
export interface BlockTable {
  /** Tokens one id stands for. */
  readonly blockTokens: number;
  /** First id of each run. */
  readonly runId: Int32Array;
  /** How many consecutive ids the run has; at least 1. */
  readonly runCount: Int32Array;
  /**
   * The ids go on over what requests generate, and name only blocks that are filled. Otherwise they name the
   * prompt, its last, partly filled block included. Absent = false, except for spans longer than the prompt.
   */
  readonly coversOutput?: boolean;
}

/** The runs `[start, end)` of a table: the content of one request, prompt first, then what it generates. */
export interface BlockSpan {
  readonly table: BlockTable;
  readonly start: number;
  readonly end: number;
}

/** A span without known content: nothing of it is shared with any other request. */
export function emptySpan(blockTokens: number): BlockSpan {
  return { table: { blockTokens, runId: new Int32Array(0), runCount: new Int32Array(0) }, start: 0, end: 0 };
}

/** Number of ids in a span. */
export function spanLength(span: BlockSpan): number {
  let length = 0;
  for (let run = span.start; run < span.end; run++) length += span.table.runCount[run]!;
  return length;
}

/** Writes the ids of a span into `out` (at most `limit` of them) and returns how many were written. */
export function expandSpan(span: BlockSpan, out: Int32Array, limit: number): number {
  const { runId, runCount } = span.table;
  let length = 0;
  for (let run = span.start; run < span.end && length < limit; run++) {
    const first = runId[run]!;
    const count = Math.min(runCount[run]!, limit - length);
    for (let i = 0; i < count; i++) out[length++] = first + i;
  }
  return length;
}
