import { grownInts } from "./grow.js";

/**
 * Numbers the groups of block keys that a prefix cache knows: open addressing over the groups' own keys, one probe
 * a look-up and no object an entry. Slots of closed groups are used again.
 */
export class GroupTable {
  /** Slots given out so far: the length that columns indexed by slot must have. */
  used = 0;
  private count = 0;
  private keys = new Int32Array(64);
  private readonly freeSlots: number[] = [];
  /** Slot + 1, 0 = empty. */
  private table = new Int32Array(256);
  private mask = this.table.length - 1;
  private recentKey = 0;
  private recentSlot = -1;

  /** Slot of a group, or -1. */
  find(key: number): number {
    if (key === this.recentKey && this.recentSlot >= 0) return this.recentSlot;
    const { table, mask, keys } = this;
    for (let at = hashOf(key) & mask; ; at = (at + 1) & mask) {
      const slot = table[at]! - 1;
      if (slot < 0) return -1;
      if (keys[slot] === key) {
        this.recentKey = key;
        this.recentSlot = slot;
        return slot;
      }
    }
  }

  /** Gives a slot to a group that has none. */
  open(key: number): number {
    if (this.count * 4 >= this.table.length) this.growTable();
    const slot = this.freeSlots.pop() ?? this.newSlot();
    this.keys[slot] = key;
    this.count++;
    this.insert(key, slot);
    this.recentKey = key;
    this.recentSlot = slot;
    return slot;
  }

  keyOf(slot: number): number {
    return this.keys[slot]!;
  }

  /** Takes a group out by shifting the probe chain back, so that no tombstones gather. */
  close(slot: number): void {
    const { table, mask, keys } = this;
    let hole = hashOf(keys[slot]!) & mask;
    while (table[hole] !== slot + 1) hole = (hole + 1) & mask;
    for (let at = (hole + 1) & mask; table[at] !== 0; at = (at + 1) & mask) {
      const home = hashOf(keys[table[at]! - 1]!) & mask;
      if (((at - home) & mask) >= ((at - hole) & mask)) {
        table[hole] = table[at]!;
        hole = at;
      }
    }
    table[hole] = 0;
    this.count--;
    this.freeSlots.push(slot);
    if (this.recentSlot === slot) this.recentSlot = -1;
  }

  private newSlot(): number {
    if (this.used === this.keys.length) this.keys = grownInts(this.keys);
    return this.used++;
  }

  private insert(key: number, slot: number): void {
    let at = hashOf(key) & this.mask;
    while (this.table[at] !== 0) at = (at + 1) & this.mask;
    this.table[at] = slot + 1;
  }

  private growTable(): void {
    const old = this.table;
    this.table = new Int32Array(old.length * 2);
    this.mask = this.table.length - 1;
    for (const filled of old) if (filled !== 0) this.insert(this.keys[filled - 1]!, filled - 1);
  }
}

/** Multiplicative hash with the high bits folded down; group keys of one trace are nearly consecutive. */
function hashOf(key: number): number {
  const mixed = Math.imul(key, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}
