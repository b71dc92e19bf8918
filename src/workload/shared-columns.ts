import type { RawTrace } from "./raw-trace.js";
import type { Workload } from "./workload.js";

/**
 * A copy whose columns lie in shared memory. It is a plain object: posted to a worker thread as it is, its
 * columns are not copied.
 */
export function toShared<T extends RawTrace | Workload>(columns: T): T {
  const shared = { ...columns, blocks: { ...columns.blocks } };
  shareArrays(shared);
  shareArrays(shared.blocks);
  return shared;
}

function shareArrays(target: object): void {
  for (const [name, value] of Object.entries(target)) {
    if (value instanceof Int32Array || value instanceof Float64Array) {
      Object.assign(target, { [name]: inSharedMemory(value) });
    }
  }
}

function inSharedMemory(column: Int32Array | Float64Array): Int32Array | Float64Array {
  if (column.buffer instanceof SharedArrayBuffer) return column;
  const buffer = new SharedArrayBuffer(column.byteLength);
  const shared = column instanceof Int32Array ? new Int32Array(buffer) : new Float64Array(buffer);
  shared.set(column);
  return shared;
}
