import { grown } from "./grown.js";

/**
 * The edges of a radix tree: (parent, first symbol) -> child, by open addressing over the nodes' own columns.
 * One table for the whole tree costs one probe per step, where a map per node costs an object per node.
 */
export class EdgeTable {
  private slots = new Int32Array(64);
  private used = 0;
  private parentOf = new Int32Array(32);
  private symbolOf = new Int32Array(32);

  /** The child of `parent` whose edge begins with `symbol`, or -1. */
  find(parent: number, symbol: number): number {
    const { slots, parentOf, symbolOf } = this;
    const mask = slots.length - 1;
    for (let slot = hash(parent, symbol) & mask; ; slot = (slot + 1) & mask) {
      const child = slots[slot]! - 1;
      if (child < 0 || (parentOf[child] === parent && symbolOf[child] === symbol)) return child;
    }
  }

  /** Adds the edge to `child`, which must have none. */
  add(parent: number, symbol: number, child: number): void {
    if (child >= this.parentOf.length) {
      this.parentOf = grown(this.parentOf, child + 1);
      this.symbolOf = grown(this.symbolOf, child + 1);
    }
    this.parentOf[child] = parent;
    this.symbolOf[child] = symbol;
    if (2 * ++this.used > this.slots.length) this.rehash();
    this.place(child);
  }

  /** Removes the edge to `child`. */
  remove(child: number): void {
    const { slots, parentOf, symbolOf } = this;
    const mask = slots.length - 1;
    let hole = hash(parentOf[child]!, symbolOf[child]!) & mask;
    while (slots[hole] !== child + 1) hole = (hole + 1) & mask;
    // Shifts back what a later probe could no longer reach over the hole.
    for (let slot = (hole + 1) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const moved = slots[slot]! - 1;
      const home = hash(parentOf[moved]!, symbolOf[moved]!) & mask;
      if (((slot - home) & mask) >= ((slot - hole) & mask)) {
        slots[hole] = moved + 1;
        hole = slot;
      }
    }
    slots[hole] = 0;
    this.used--;
  }

  private place(child: number): void {
    const { slots } = this;
    const mask = slots.length - 1;
    let slot = hash(this.parentOf[child]!, this.symbolOf[child]!) & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = child + 1;
  }

  private rehash(): void {
    const old = this.slots;
    this.slots = new Int32Array(2 * old.length);
    for (const entry of old) if (entry !== 0) this.place(entry - 1);
  }
}

function hash(parent: number, symbol: number): number {
  const mixed = Math.imul(parent, 0x9e3779b1) ^ Math.imul(symbol, 0x85ebca6b);
  return Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae35) >>> 7;
}
