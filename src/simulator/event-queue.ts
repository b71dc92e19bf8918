const FIRST_CAPACITY = 1024;

/** KV events on their way to the router, in order of arrival, in typed arrays. */
export class EventQueue {
  private head = 0;
  private tail = 0;
  private arrivesMs = new Float64Array(FIRST_CAPACITY);
  /** Worker times 2, plus 1 for what is stored. */
  private kinds = new Int32Array(FIRST_CAPACITY);
  private symbols = new Int32Array(FIRST_CAPACITY);

  /** Events come in order of `arrivesMs`. */
  push(arrivesMs: number, worker: number, isStored: boolean, symbol: number): void {
    if (this.tail === this.symbols.length) this.makeRoom();
    this.arrivesMs[this.tail] = arrivesMs;
    this.kinds[this.tail] = 2 * worker + Number(isStored);
    this.symbols[this.tail++] = symbol;
  }

  /**
   * Takes out what has arrived by `nowMs`.
   *
   * @param take gets events of one kind and worker together; the symbols are valid during the call only
   */
  takeUntil(nowMs: number, take: (worker: number, isStored: boolean, symbols: Int32Array) => void): void {
    const { arrivesMs, kinds } = this;
    while (this.head < this.tail && arrivesMs[this.head]! <= nowMs) {
      const kind = kinds[this.head]!;
      let end = this.head + 1;
      while (end < this.tail && kinds[end] === kind && arrivesMs[end]! <= nowMs) end++;
      take(kind >> 1, (kind & 1) === 1, this.symbols.subarray(this.head, end));
      this.head = end;
    }
  }

  /** Moves what is left to the front, and grows when that is more than half. */
  private makeRoom(): void {
    const left = this.tail - this.head;
    const capacity = 2 * left > this.symbols.length ? 2 * this.symbols.length : this.symbols.length;
    const move = <T extends Float64Array | Int32Array>(from: T, to: T): T => {
      to.set(from.subarray(this.head, this.tail));
      return to;
    };
    this.arrivesMs = move(this.arrivesMs, new Float64Array(capacity));
    this.kinds = move(this.kinds, new Int32Array(capacity));
    this.symbols = move(this.symbols, new Int32Array(capacity));
    this.head = 0;
    this.tail = left;
  }
}
