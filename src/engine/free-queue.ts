import { RECORD, STATE } from "./block-records.js";

/**
 * Free blocks in the order in which they are handed out: a ring in which a block taken from the middle leaves a
 * 0 behind (block 0, vLLM's null block, is never free). Unlike in a linked list the next blocks are known ahead,
 * so that a processor can fetch their records together.
 */
export class FreeQueue {
  /** Read from `head` to `tail`; indices wrap by `mask`. */
  readonly ring: Int32Array;
  readonly mask: number;
  head = 0;
  tail = 0;
  private readonly records: Int32Array;

  /** Starts with blocks 1..numBlocks-1. */
  constructor(numBlocks: number, records: Int32Array) {
    let size = 16;
    while (size < numBlocks * 1.25) size *= 2;
    this.ring = new Int32Array(size);
    this.mask = size - 1;
    this.records = records;
    for (let block = 1; block < numBlocks; block++) this.append(block);
  }

  append(block: number): void {
    const place = this.tail++ & this.mask;
    this.ring[place] = block;
    this.records[block * RECORD + STATE] = -place;
  }

  /** Puts `blocks` before all others, in their order. */
  prepend(blocks: readonly number[]): void {
    for (let i = blocks.length - 1; i >= 0; i--) {
      const place = --this.head & this.mask;
      this.ring[place] = blocks[i]!;
      this.records[blocks[i]! * RECORD + STATE] = -place;
    }
  }

  /** Takes out a free block wherever it stands. */
  remove(block: number): void {
    this.ring[-this.records[block * RECORD + STATE]!] = 0;
  }

  /** Makes sure that `count` blocks can be added at either end; closes gaps if need be. */
  reserve(count: number): void {
    if (this.tail - this.head + count <= this.ring.length) return;
    const blocks = this.toArray();
    this.head = 0;
    this.tail = 0;
    for (const block of blocks) this.append(block);
  }

  toArray(): number[] {
    const blocks = [];
    for (let at = this.head; at < this.tail; at++) {
      const block = this.ring[at & this.mask]!;
      if (block !== 0) blocks.push(block);
    }
    return blocks;
  }
}
