import type { Workload } from "../../../src/workload/workload.js";

/** A request of a small workload; what is left out is as simple as can be. */
export interface WorkloadRow {
  readonly arrivalMs?: number;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly blocks?: readonly number[];
  readonly session?: number;
  readonly previous?: number;
  readonly thinkMs?: number;
  readonly cancelAfterMs?: number;
}

export function workloadOf(
  rows: readonly WorkloadRow[],
  { blockTokens = 16, concurrency = 0 }: { blockTokens?: number; concurrency?: number } = {},
): Workload {
  const runs = rows.flatMap(({ blocks = [] }) => blocks);
  const ends = rows.map((_, row) =>
    rows.slice(0, row + 1).reduce((sum, { blocks = [] }) => sum + blocks.length, 0),
  );
  return {
    count: rows.length,
    arrivalMs: Float64Array.from(rows, ({ arrivalMs = 0, previous = -1 }) =>
      previous >= 0 ? Number.NaN : arrivalMs,
    ),
    inputTokens: Int32Array.from(rows, ({ inputTokens = 8 }) => inputTokens),
    outputTokens: Int32Array.from(rows, ({ outputTokens = 2 }) => outputTokens),
    blocks: { blockTokens, runId: Int32Array.from(runs), runCount: new Int32Array(runs.length).fill(1) },
    runOffset: Float64Array.from([0, ...ends]),
    session: Int32Array.from(rows, ({ session = -1 }) => session),
    priority: new Int32Array(rows.length),
    cancelAfterMs: Float64Array.from(rows, ({ cancelAfterMs = Number.NaN }) => cancelAfterMs),
    previous: Int32Array.from(rows, ({ previous = -1 }) => previous),
    thinkMs: Float64Array.from(rows, ({ thinkMs = 0 }) => thinkMs),
    concurrency,
    hasBlocks: true,
    notes: ["made for a test"],
  };
}
