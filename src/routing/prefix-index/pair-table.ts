/** Numbers of a place of the table: row + 1 (0 = empty) and the pair, side by side so that a probe is one cache line. */
const PLACE = 4;
const FIRST = 1;
const SECOND = 2;

/** A map from pairs of integers to rows, by open addressing: one probe a look-up and no object an entry. */
export class PairTable {
  private table = new Int32Array(64 * PLACE);
  private mask = 63;
  private used = 0;

  /** The row of a pair, or -1. */
  find(first: number, second: number): number {
    const { table, mask } = this;
    for (let place = hash(first, second) & mask; ; place = (place + 1) & mask) {
      const at = place * PLACE;
      const row = table[at]! - 1;
      if (row < 0 || (table[at + FIRST] === first && table[at + SECOND] === second)) return row;
    }
  }

  /** Adds a pair that is not in the table. */
  add(first: number, second: number, row: number): void {
    if (2 * ++this.used > this.mask) this.grow();
    this.place(first, second, row + 1);
  }

  /** Takes a pair out that is in the table. */
  remove(first: number, second: number): void {
    const { table, mask } = this;
    let hole = hash(first, second) & mask;
    while (table[hole * PLACE + FIRST] !== first || table[hole * PLACE + SECOND] !== second) {
      hole = (hole + 1) & mask;
    }
    // Shifts back what a later probe could no longer reach over the hole.
    for (let place = (hole + 1) & mask; table[place * PLACE] !== 0; place = (place + 1) & mask) {
      const at = place * PLACE;
      const home = hash(table[at + FIRST]!, table[at + SECOND]!) & mask;
      if (((place - home) & mask) < ((place - hole) & mask)) continue;
      table[hole * PLACE] = table[at]!;
      table[hole * PLACE + FIRST] = table[at + FIRST]!;
      table[hole * PLACE + SECOND] = table[at + SECOND]!;
      hole = place;
    }
    table[hole * PLACE] = 0;
    this.used--;
  }

  private place(first: number, second: number, filled: number): void {
    const { table, mask } = this;
    let place = hash(first, second) & mask;
    while (table[place * PLACE] !== 0) place = (place + 1) & mask;
    table[place * PLACE] = filled;
    table[place * PLACE + FIRST] = first;
    table[place * PLACE + SECOND] = second;
  }

  private grow(): void {
    const old = this.table;
    this.table = new Int32Array(2 * old.length);
    this.mask = this.table.length / PLACE - 1;
    for (let at = 0; at < old.length; at += PLACE) {
      if (old[at] !== 0) this.place(old[at + FIRST]!, old[at + SECOND]!, old[at]!);
    }
  }
}

function hash(first: number, second: number): number {
  const mixed = Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b);
  return Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae35) >>> 7;
}
