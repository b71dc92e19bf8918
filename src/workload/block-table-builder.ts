import type { BlockTable } from "../values/block-span.js";
import { float64Column, int32Column } from "./column.js";
import type { BlockWriter } from "./trace-rows.js";

/** Block ids in order of first appearance, 0 to `MAX_BLOCK_ID`, so that they index typed arrays. */
export const MAX_BLOCK_ID = 2 ** 31 - 1;

/** Writes the content of requests row by row and run-length codes it: consecutive ids become one run. */
export class BlockTableBuilder implements BlockWriter {
  readonly remembered = Infinity;
  private readonly runId = int32Column();
  private readonly runCount = int32Column();
  private readonly rowEnd = float64Column();
  private nextId = 0;

  constructor() {
    this.rowEnd.push(0);
  }

  /** Number of different ids given so far; also the next one. */
  get distinct(): number {
    return this.nextId;
  }

  /** Takes `count` ids that no request has had yet and returns the first. */
  allocate(count: number): number {
    const first = this.nextId;
    if (first + count > MAX_BLOCK_ID) throw new RangeError(`more than ${MAX_BLOCK_ID} different blocks`);
    this.nextId += count;
    return first;
  }

  /** Adds `count` consecutive ids to the current row. */
  append(first: number, count: number): void {
    if (count <= 0) return;
    const last = this.runId.length - 1;
    const isFirstOfRow = this.runId.length === this.rowEnd.at(this.rowEnd.length - 1);
    if (!isFirstOfRow && this.runId.at(last) + this.runCount.at(last) === first) {
      this.runCount.set(last, this.runCount.at(last) + count);
    } else {
      this.runId.push(first);
      this.runCount.push(count);
    }
  }

  endRow(): void {
    this.rowEnd.push(this.runId.length);
  }

  /** The table and the run offsets of the first `rows` rows; the builder must not be used afterwards. */
  take(rows: number, blockTokens: number): { blocks: BlockTable; runOffset: Float64Array } {
    this.rowEnd.truncate(rows + 1);
    const runOffset = this.rowEnd.take();
    const runs = runOffset[rows]!;
    this.runId.truncate(runs);
    this.runCount.truncate(runs);
    return { blocks: { blockTokens, runId: this.runId.take(), runCount: this.runCount.take() }, runOffset };
  }
}
