import { ENTRY, RECORD } from "./block-records.js";
import { GroupTable } from "./group-table.js";
import { grownInts } from "./grow.js";

/** Block keys of one group: consecutive keys share a hash entry, so a run of blocks costs one probe. */
const GROUP_BITS = 5;
export const GROUP_KEYS = 1 << GROUP_BITS;

/** Group of a key; keys are whole numbers below 2^36, private ones negative. */
export function groupOfKey(key: number): number {
  return Math.floor(key / GROUP_KEYS);
}

/** Place of a key in its group. */
export function placeInGroup(key: number): number {
  return key & (GROUP_KEYS - 1);
}

/**
 * The prefix cache: which physical blocks hold the content named by a key.
 *
 * An *entry* is the place of one key, `slot * 32 + place`; each block's record names its entry. A holder counts
 * only while its record confirms it: dropping a key then touches the block's own record and nothing else.
 *
 * Identical content may be held by several blocks (vLLM does not de-duplicate); a lookup gives the copy that
 * was published first among those that survive. Block 0, vLLM's null block, is never published.
 */
export class PrefixIndex {
  /** First surviving copy by entry, if its record confirms it. Valid until the next `publish`. */
  holders: Int32Array;

  private readonly records: Int32Array;
  /** Of blocks with copies: the next and previous copy in order of publication, 0 = none. */
  private readonly nextCopy: Int32Array;
  private readonly previousCopy: Int32Array;
  /** Of a first copy that has others: the last one. */
  private readonly lastCopy: Int32Array;

  private readonly groups = new GroupTable();
  /** Published blocks of each group. */
  private groupLive: Int32Array;

  /** @param records of the blocks: the index keeps their `ENTRY`. */
  constructor(numBlocks: number, records: Int32Array) {
    this.records = records;
    this.nextCopy = new Int32Array(numBlocks);
    this.previousCopy = new Int32Array(numBlocks);
    this.lastCopy = new Int32Array(numBlocks);
    const slots = 64;
    this.groupLive = new Int32Array(slots);
    this.holders = new Int32Array(slots * GROUP_KEYS);
  }

  /** First entry of a group, or -1 if no block of the group is published. */
  findGroup(group: number): number {
    const slot = this.groups.find(group);
    return slot < 0 ? -1 : slot << GROUP_BITS;
  }

  /** The key that an entry stands for. */
  keyOfEntry(entry: number): number {
    return this.groups.keyOf(slotOfEntry(entry)) * GROUP_KEYS + (entry & (GROUP_KEYS - 1));
  }

  /**
   * Opens a group of which nothing is published and counts `count` blocks in, for the caller to enter at the entry
   * returned and after it; -1 if something of the group is there.
   */
  openEmpty(group: number, place: number, count: number): number {
    if (this.findGroup(group) >= 0) return -1;
    const slot = this.openGroup(group, count < GROUP_KEYS);
    this.groupLive[slot] = count;
    return (slot << GROUP_BITS) + place;
  }

  /** Publishes `blocks[from..to)` under the consecutive keys of one group that start at `place`. */
  publish(group: number, place: number, blocks: Int32Array, from: number, to: number): void {
    const found = this.findGroup(group);
    const slot = found < 0 ? this.openGroup(group, true) : found >> GROUP_BITS;
    this.groupLive[slot]! += to - from;
    const { holders, records } = this;
    let entry = (slot << GROUP_BITS) + place;
    for (let i = from; i < to; i++, entry++) {
      const block = blocks[i]!;
      const first = holders[entry]!;
      if (first !== 0 && Math.abs(records[first * RECORD + ENTRY]!) === entry + 1) {
        this.appendCopy(first, block, entry);
      } else {
        holders[entry] = block;
        records[block * RECORD + ENTRY] = entry + 1;
      }
    }
  }

  /** Notes that `count` blocks of a group have lost their keys: records without copies, already cleared. */
  forget(slot: number, count: number): void {
    if ((this.groupLive[slot]! -= count) === 0) this.groups.close(slot);
  }

  /** Notes that a block that is marked as having copies has lost its key; its record is already cleared. */
  dropCopy(block: number, entry: number): void {
    this.unlinkCopy(entry, block);
    this.forget(slotOfEntry(entry), 1);
  }

  private appendCopy(first: number, block: number, entry: number): void {
    const { records, nextCopy, previousCopy, lastCopy } = this;
    const last = lastCopy[first]! || first;
    nextCopy[last] = block;
    previousCopy[block] = last;
    lastCopy[first] = block;
    records[first * RECORD + ENTRY] = -(entry + 1);
    records[block * RECORD + ENTRY] = -(entry + 1);
  }

  /** Takes a block out of its chain of copies; the last one left keeps the (needless) mark of a copy. */
  private unlinkCopy(entry: number, block: number): void {
    const { nextCopy, previousCopy, lastCopy, holders } = this;
    const next = nextCopy[block]!;
    const previous = previousCopy[block]!;
    const last = lastCopy[block]!;
    nextCopy[block] = 0;
    previousCopy[block] = 0;
    lastCopy[block] = 0;
    if (previous === 0) {
      if (next === 0) return;
      holders[entry] = next;
      previousCopy[next] = 0;
      lastCopy[next] = last === next ? 0 : last;
    } else {
      const first = holders[entry]!;
      nextCopy[previous] = next;
      if (next !== 0) previousCopy[next] = previous;
      else lastCopy[first] = previous === first ? 0 : previous;
    }
  }

  /** Gives a group its slot; without `cleared` holders the caller enters all of them. */
  private openGroup(group: number, cleared: boolean): number {
    const slot = this.groups.open(group);
    if (slot === this.groupLive.length) {
      this.groupLive = grownInts(this.groupLive);
      this.holders = grownInts(this.holders);
    }
    const first = slot << GROUP_BITS;
    if (cleared) for (let i = 0; i < GROUP_KEYS; i++) this.holders[first + i] = 0;
    this.groupLive[slot] = 0;
    return slot;
  }
}

/** Slot of the group that an entry belongs to. */
export function slotOfEntry(entry: number): number {
  return entry >> GROUP_BITS;
}
