import type { BlockSpan } from "../../src/values/block-span.js";
import type { BlockHashes } from "./block-hashes.js";

const IDS = 2 ** 31 - 1;

/**
 * Dense ids for block hashes, as the engine model wants them: new content gets consecutive ids.
 *
 * Memory is bounded. Ids live in two generations of `capacity` blocks: an id that a whole generation went by
 * without is forgotten. With a capacity of twice the engine's blocks, the engine has evicted the block by then.
 */
export class BlockIds {
  private readonly capacity: number;
  private recent = new Map<number, number>();
  private older = new Map<number, number>();
  private next = 1;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** The content of a sequence of `tokens` tokens whose full blocks have these hashes. */
  span(hashes: BlockHashes, tokens: number, blockSize: number): BlockSpan {
    const blocks = hashes.low.length;
    const runId: number[] = [];
    const runCount: number[] = [];
    for (let block = 0; block < blocks; block++) {
      const id = this.idOf(hashes.high[block]!, hashes.low[block]!);
      const last = runId.length - 1;
      if (last >= 0 && runId[last]! + runCount[last]! === id) runCount[last]!++;
      else {
        runId.push(id);
        runCount.push(1);
      }
    }
    // A last, partly filled block: it is never looked up, but tells the engine that the output has ids too.
    if (tokens > blocks * blockSize) {
      runId.push(0);
      runCount.push(1);
    }
    return {
      table: { blockTokens: blockSize, runId: Int32Array.from(runId), runCount: Int32Array.from(runCount) },
      start: 0,
      end: runId.length,
    };
  }

  /** Ids that are remembered. */
  get size(): number {
    return this.recent.size + this.older.size;
  }

  private idOf(high: number, low: number): number {
    // 53 of the 64 bits: a Map of doubles is several times faster than one of bigints.
    const key = (high & 0x1fffff) * 2 ** 32 + low;
    let id = this.recent.get(key);
    if (id !== undefined) return id;
    id = this.older.get(key) ?? this.newId();
    if (this.recent.size >= this.capacity) {
      this.older = this.recent;
      this.recent = new Map();
    }
    this.recent.set(key, id);
    return id;
  }

  private newId(): number {
    const id = this.next;
    this.next = id === IDS ? 1 : id + 1;
    return id;
  }
}
