/** Typed arrays that a column can be made of. */
export type ColumnArray = Int32Array | Float64Array;

const FIRST_CAPACITY = 1024;
const GROWTH = 1.5;

/** A typed array that grows geometrically while rows are added to it. */
export class Column<A extends ColumnArray> {
  private readonly allocate: (length: number) => A;
  private values: A;
  private used = 0;

  constructor(allocate: (length: number) => A, capacity = FIRST_CAPACITY) {
    this.allocate = allocate;
    this.values = allocate(Math.max(1, capacity));
  }

  get length(): number {
    return this.used;
  }

  push(value: number): void {
    if (this.used === this.values.length) this.grow();
    this.values[this.used++] = value;
  }

  at(index: number): number {
    return this.values[index]!;
  }

  set(index: number, value: number): void {
    this.values[index] = value;
  }

  /** Forgets everything from `length` on. */
  truncate(length: number): void {
    this.used = Math.min(this.used, length);
  }

  /** The values as an array of exactly their number; the column must not be used afterwards. */
  take(): A {
    const full = this.values;
    return (full.length === this.used ? full : full.slice(0, this.used)) as A;
  }

  private grow(): void {
    const grown = this.allocate(Math.ceil(this.values.length * GROWTH) + 1);
    grown.set(this.values);
    this.values = grown;
  }
}

export function int32Column(capacity?: number): Column<Int32Array> {
  return new Column((length) => new Int32Array(length), capacity);
}

export function float64Column(capacity?: number): Column<Float64Array> {
  return new Column((length) => new Float64Array(length), capacity);
}
