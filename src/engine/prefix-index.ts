/** Block keys of one group: consecutive keys share a hash entry, so a run of blocks costs one probe. */
export const GROUP_BITS = 5;
export const GROUP_KEYS = 1 << GROUP_BITS;
const SUB_MASK = GROUP_KEYS - 1;

/** Group of a key; keys are whole numbers below 2^36, private ones negative. */
export function groupOfKey(key: number): number {
  return Math.floor(key / GROUP_KEYS);
}

/** Place of a key in its group. */
export function placeInGroup(key: number): number {
  return key & SUB_MASK;
}

/**
 * The prefix cache: which physical blocks hold the content named by a key.
 *
 * Identical content may be held by several blocks (vLLM does not de-duplicate); a lookup gives the copy that
 * was published first among those that survive. Block 0, vLLM's null block, is never published: 0 = none.
 *
 * An *entry* is the place of one key: `slot * 32 + place`. A block remembers its entry, so that dropping it
 * needs no hashing.
 */
export class PrefixIndex {
  /** First surviving copy by entry, 0 = none. Valid until the next `publish`. */
  holders: Int32Array;
  /** Entry under which a block is published, -1 = it has no key. */
  readonly entryOfBlock: Int32Array;

  /** Later copies of the same content, in order of publication; `lastCopy` is kept at the first one only. */
  private readonly nextCopy: Int32Array;
  private readonly previousCopy: Int32Array;
  private readonly lastCopy: Int32Array;

  private groupKey: Int32Array;
  private groupLive: Int32Array;
  private groupCount = 0;
  private readonly freeSlots: number[] = [];
  /** Open addressing over `groupKey`; holds slot + 1, 0 = empty. */
  private table: Int32Array;
  private tableMask: number;
  private usedSlots = 0;
  private recentKey = 0;
  private recentSlot = -1;

  constructor(numBlocks: number) {
    this.entryOfBlock = new Int32Array(numBlocks).fill(-1);
    this.nextCopy = new Int32Array(numBlocks);
    this.previousCopy = new Int32Array(numBlocks);
    this.lastCopy = new Int32Array(numBlocks);
    const slots = 64;
    this.groupKey = new Int32Array(slots);
    this.groupLive = new Int32Array(slots);
    this.holders = new Int32Array(slots * GROUP_KEYS);
    this.table = new Int32Array(slots * 4);
    this.tableMask = slots * 4 - 1;
  }

  /** First entry of a group, or -1 if no block of the group is published. */
  findGroup(group: number): number {
    if (group === this.recentKey && this.recentSlot >= 0) return this.recentSlot << GROUP_BITS;
    const { table, tableMask, groupKey } = this;
    for (let at = hashOf(group) & tableMask; ; at = (at + 1) & tableMask) {
      const slot = table[at]! - 1;
      if (slot < 0) return -1;
      if (groupKey[slot] === group) {
        this.recentKey = group;
        this.recentSlot = slot;
        return slot << GROUP_BITS;
      }
    }
  }

  /** Publishes `blocks[from..to)` under the consecutive keys of one group that start at `place`. */
  publish(group: number, place: number, blocks: Int32Array, from: number, to: number): void {
    const slot = this.openGroup(group);
    this.groupLive[slot]! += to - from;
    const { holders, entryOfBlock } = this;
    let entry = (slot << GROUP_BITS) + place;
    for (let i = from; i < to; i++, entry++) {
      const block = blocks[i]!;
      entryOfBlock[block] = entry;
      const first = holders[entry]!;
      if (first === 0) holders[entry] = block;
      else this.appendCopy(first, block);
    }
  }

  /** Drops the key of a published block. */
  drop(block: number): void {
    const entry = this.entryOfBlock[block]!;
    this.entryOfBlock[block] = -1;
    if (this.holders[entry] === block && this.nextCopy[block] === 0) this.holders[entry] = 0;
    else this.unlinkCopy(entry, block);
    const slot = entry >> GROUP_BITS;
    if (--this.groupLive[slot]! === 0) this.closeGroup(slot);
  }

  private appendCopy(first: number, block: number): void {
    const last = this.lastCopy[first]! || first;
    this.nextCopy[last] = block;
    this.previousCopy[block] = last;
    this.lastCopy[first] = block;
  }

  private unlinkCopy(entry: number, block: number): void {
    const { nextCopy, previousCopy, lastCopy, holders } = this;
    const first = holders[entry]!;
    const next = nextCopy[block]!;
    if (block === first) {
      holders[entry] = next;
      lastCopy[next] = lastCopy[first] === next ? 0 : lastCopy[first]!;
      lastCopy[first] = 0;
      previousCopy[next] = 0;
    } else {
      const previous = previousCopy[block]!;
      nextCopy[previous] = next;
      if (next !== 0) previousCopy[next] = previous;
      else lastCopy[first] = previous === first ? 0 : previous;
      previousCopy[block] = 0;
    }
    nextCopy[block] = 0;
  }

  private openGroup(group: number): number {
    const entry = this.findGroup(group);
    if (entry >= 0) return entry >> GROUP_BITS;
    if (this.groupCount * 4 >= this.table.length) this.growTable();
    const slot = this.freeSlots.pop() ?? this.newSlot();
    this.groupKey[slot] = group;
    this.groupCount++;
    this.insert(group, slot);
    this.recentKey = group;
    this.recentSlot = slot;
    return slot;
  }

  private newSlot(): number {
    if (this.usedSlots === this.groupKey.length) {
      this.groupKey = grown(this.groupKey);
      this.groupLive = grown(this.groupLive);
      this.holders = grown(this.holders);
    }
    return this.usedSlots++;
  }

  private insert(group: number, slot: number): void {
    let at = hashOf(group) & this.tableMask;
    while (this.table[at] !== 0) at = (at + 1) & this.tableMask;
    this.table[at] = slot + 1;
  }

  private growTable(): void {
    const old = this.table;
    this.table = new Int32Array(old.length * 2);
    this.tableMask = this.table.length - 1;
    for (const filled of old) if (filled !== 0) this.insert(this.groupKey[filled - 1]!, filled - 1);
  }

  /** Deletes a group by shifting the probe chain back, so that no tombstones gather. */
  private closeGroup(slot: number): void {
    const { table, tableMask, groupKey } = this;
    let hole = hashOf(groupKey[slot]!) & tableMask;
    while (table[hole] !== slot + 1) hole = (hole + 1) & tableMask;
    for (let at = (hole + 1) & tableMask; table[at] !== 0; at = (at + 1) & tableMask) {
      const home = hashOf(groupKey[table[at]! - 1]!) & tableMask;
      if (((at - home) & tableMask) >= ((at - hole) & tableMask)) {
        table[hole] = table[at]!;
        hole = at;
      }
    }
    table[hole] = 0;
    this.groupCount--;
    this.freeSlots.push(slot);
    if (this.recentSlot === slot) this.recentSlot = -1;
  }
}

/** Multiplicative hash with the high bits folded down; group keys of one trace are nearly consecutive. */
function hashOf(group: number): number {
  const mixed = Math.imul(group, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}

function grown(array: Int32Array): Int32Array {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
