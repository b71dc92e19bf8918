import { grown } from "./grown.js";

/**
 * A map from pairs of integers to rows, by open addressing over the rows' own columns: one probe a lookup and
 * no object an entry. The caller numbers the rows densely and may reuse removed ones.
 */
export class PairTable {
  private slots = new Int32Array(64);
  private used = 0;
  private firsts = new Int32Array(32);
  private seconds = new Int32Array(32);

  /** The row of a pair, or -1. */
  find(first: number, second: number): number {
    const { slots, firsts, seconds } = this;
    const mask = slots.length - 1;
    for (let slot = hash(first, second) & mask; ; slot = (slot + 1) & mask) {
      const row = slots[slot]! - 1;
      if (row < 0 || (firsts[row] === first && seconds[row] === second)) return row;
    }
  }

  first(row: number): number {
    return this.firsts[row]!;
  }

  second(row: number): number {
    return this.seconds[row]!;
  }

  /** Gives a pair that has none a row that is free. */
  add(first: number, second: number, row: number): void {
    if (row >= this.firsts.length) {
      this.firsts = grown(this.firsts, row + 1);
      this.seconds = grown(this.seconds, row + 1);
    }
    this.firsts[row] = first;
    this.seconds[row] = second;
    if (2 * ++this.used > this.slots.length) this.rehash();
    this.place(row);
  }

  /** Takes a row out. */
  remove(row: number): void {
    const { slots, firsts, seconds } = this;
    const mask = slots.length - 1;
    let hole = hash(firsts[row]!, seconds[row]!) & mask;
    while (slots[hole] !== row + 1) hole = (hole + 1) & mask;
    // Shifts back what a later probe could no longer reach over the hole.
    for (let slot = (hole + 1) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const moved = slots[slot]! - 1;
      const home = hash(firsts[moved]!, seconds[moved]!) & mask;
      if (((slot - home) & mask) >= ((slot - hole) & mask)) {
        slots[hole] = moved + 1;
        hole = slot;
      }
    }
    slots[hole] = 0;
    this.used--;
  }

  private place(row: number): void {
    const { slots } = this;
    const mask = slots.length - 1;
    let slot = hash(this.firsts[row]!, this.seconds[row]!) & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = row + 1;
  }

  private rehash(): void {
    const old = this.slots;
    this.slots = new Int32Array(2 * old.length);
    // The row being added is not placed yet, so only what was in the table moves.
    for (const entry of old) if (entry !== 0) this.place(entry - 1);
  }
}

function hash(first: number, second: number): number {
  const mixed = Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b);
  return Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae35) >>> 7;
}
