import type { BlockWriter } from "./trace-rows.js";

const EMPTY = -1;
const ROOT = -1;

/**
 * Renumbers the block ids of a trace densely, in order of first appearance, keeping them chained: a block's
 * new id stands for its old id *after the same blocks before it*. Where a trace hashes each block by itself
 * (Bailian's salted SipHash) that makes prefixes exact; where its hashes are chained already (Mooncake) it
 * changes nothing but the numbers.
 *
 * Where the table need not remember all blocks, those that have not been met for long are forgotten, half of what
 * is known at a time: one that comes back after that counts as new. A block is never forgotten before those after it.
 */
export class ChainInterner {
  private readonly table: BlockWriter;
  private known = new PairIds();
  /** What `known` was before it was full. */
  private before = new PairIds();

  constructor(table: BlockWriter) {
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
    const known = this.known.find(parent, hash);
    if (known !== EMPTY) return known;
    const before = this.before.find(parent, hash);
    const id = before === EMPTY ? this.table.allocate(1) : before;
    if (this.known.size >= this.table.remembered) {
      this.before = this.known;
      this.known = new PairIds();
    }
    this.known.add(parent, hash, id);
    return id;
  }
}

/** Ids by parent and hash, by open addressing. */
class PairIds {
  private parents = new Int32Array(1 << 12);
  private hashes = new Float64Array(1 << 12);
  private ids = new Int32Array(1 << 12).fill(EMPTY);
  private used = 0;

  get size(): number {
    return this.used;
  }

  /** The id of a pair, or EMPTY. */
  find(parent: number, hash: number): number {
    return this.ids[this.slotOf(parent, hash)]!;
  }

  /** Gives an id to a pair that has none. */
  add(parent: number, hash: number, id: number): void {
    if (2 * (this.used + 1) > this.ids.length) this.grow();
    this.put(this.slotOf(parent, hash), parent, hash, id);
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

  private put(slot: number, parent: number, hash: number, id: number): void {
    this.parents[slot] = parent;
    this.hashes[slot] = hash;
    this.ids[slot] = id;
    this.used++;
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
