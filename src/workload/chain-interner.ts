import type { BlockTableBuilder } from "./block-table-builder.js";

const EMPTY = -1;
const ROOT = -1;

/**
 * Renumbers the block ids of a trace densely, in order of first appearance, keeping them chained: a block's
 * new id stands for its old id *after the same blocks before it*. Where a trace hashes each block by itself
 * (Bailian's salted SipHash) that makes prefixes exact; where its hashes are chained already (Mooncake) it
 * changes nothing but the numbers.
 */
export class ChainInterner {
  private readonly table: BlockTableBuilder;
  private parents = new Int32Array(1 << 12);
  private hashes = new Float64Array(1 << 12);
  private ids = new Int32Array(1 << 12).fill(EMPTY);
  private used = 0;

  constructor(table: BlockTableBuilder) {
    this.table = table;
  }

  /** Adds the blocks of one request to the current row of the table. */
  append(hashes: readonly number[]): void {
    let parent = ROOT;
    for (const hash of hashes) {
      parent = this.intern(parent, hash);
      this.table.append(parent, 1);
    }
  }

  private intern(parent: number, hash: number): number {
    let slot = this.slotOf(parent, hash);
    const known = this.ids[slot]!;
    if (known !== EMPTY) return known;
    if (2 * (this.used + 1) > this.ids.length) {
      this.grow();
      slot = this.slotOf(parent, hash);
    }
    return this.put(slot, parent, hash, this.table.allocate(1));
  }

  /** Where the pair is, or the free slot where it belongs (linear probing). */
  private slotOf(parent: number, hash: number): number {
    const mask = this.ids.length - 1;
    let slot = mix(parent, hash) & mask;
    while (this.ids[slot] !== EMPTY && (this.parents[slot] !== parent || this.hashes[slot] !== hash)) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  private put(slot: number, parent: number, hash: number, id: number): number {
    this.parents[slot] = parent;
    this.hashes[slot] = hash;
    this.ids[slot] = id;
    this.used++;
    return id;
  }

  private grow(): void {
    const { parents, hashes, ids } = this;
    this.parents = new Int32Array(2 * ids.length);
    this.hashes = new Float64Array(2 * ids.length);
    this.ids = new Int32Array(2 * ids.length).fill(EMPTY);
    this.used = 0;
    for (let slot = 0; slot < ids.length; slot++) {
      if (ids[slot] === EMPTY) continue;
      this.put(this.slotOf(parents[slot]!, hashes[slot]!), parents[slot]!, hashes[slot]!, ids[slot]!);
    }
  }
}

/** Both halves of a 53-bit hash and the parent, through the finaliser of MurmurHash3. */
function mix(parent: number, hash: number): number {
  let mixed =
    Math.imul(parent, 0x9e3779b1) ^ (hash | 0) ^ Math.imul(Math.floor(hash / 4294967296), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
