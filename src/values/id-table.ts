const FIRST_PLACES = 64;

/**
 * Small whole numbers by id, for what is open at a time: its ids follow each other closely, so the low bits of an id
 * are its place, and finding it costs one probe and no object.
 *
 * Ids are whole numbers, values are 0 or more.
 */
export class IdTable {
  /** Ids held. */
  size = 0;
  private ids = new Float64Array(FIRST_PLACES);
  /** Value + 1; 0 = the place is empty. */
  private values = new Int32Array(FIRST_PLACES);
  private mask = FIRST_PLACES - 1;

  /** The value of an id, or -1. */
  get(id: number): number {
    const { ids, values, mask } = this;
    for (let at = id & mask; ; at = (at + 1) & mask) {
      const value = values[at]!;
      if (value === 0 || ids[at] === id) return value - 1;
    }
  }

  /** Adds an id that is not in the table. */
  add(id: number, value: number): void {
    if (2 * this.size >= this.mask) this.grow();
    this.size++;
    this.place(id, value + 1);
  }

  /** Takes an id out by shifting the probe chain back, so that no tombstones gather; one that is absent is ignored. */
  delete(id: number): void {
    const { ids, values, mask } = this;
    let hole = id & mask;
    while (ids[hole] !== id || values[hole] === 0) {
      if (values[hole] === 0) return;
      hole = (hole + 1) & mask;
    }
    for (let at = (hole + 1) & mask; values[at] !== 0; at = (at + 1) & mask) {
      const home = ids[at]! & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      ids[hole] = ids[at]!;
      values[hole] = values[at]!;
      hole = at;
    }
    values[hole] = 0;
    this.size--;
  }

  private place(id: number, filled: number): void {
    const { ids, values, mask } = this;
    let at = id & mask;
    while (values[at] !== 0) at = (at + 1) & mask;
    ids[at] = id;
    values[at] = filled;
  }

  private grow(): void {
    const { ids, values } = this;
    const places = 2 * values.length;
    this.ids = new Float64Array(places);
    this.values = new Int32Array(places);
    this.mask = places - 1;
    for (let at = 0; at < values.length; at++) {
      if (values[at] !== 0) this.place(ids[at]!, values[at]!);
    }
  }
}
