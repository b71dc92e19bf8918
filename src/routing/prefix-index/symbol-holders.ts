import { grown } from "./grown.js";
import { PairTable } from "./pair-table.js";

/** Which workers hold which symbols: a bit for each worker, in a row for each symbol that anyone holds. */
export class SymbolHolders {
  /** Words of a row. */
  readonly words: number;
  private readonly rows = new PairTable();
  private rowCount = 0;
  private readonly freeRows: number[] = [];
  private table: Int32Array;
  /** The symbol of a row, and how many workers hold it. */
  private symbols = new Int32Array(64);
  private holderCounts = new Int32Array(64);

  constructor(fleetSize: number) {
    this.words = Math.ceil(fleetSize / 32);
    this.table = new Int32Array(64 * this.words);
  }

  /** The row of a symbol, or -1 when nobody holds it. */
  rowOf(symbol: number): number {
    return this.rows.find(symbol, 0);
  }

  /** 32 workers of a row: bit i of word w stands for worker 32 w + i; none for row -1. */
  bits(row: number, word: number): number {
    return row < 0 ? 0 : this.table[row * this.words + word]!;
  }

  has(symbol: number, worker: number): boolean {
    return ((this.bits(this.rowOf(symbol), worker >> 5) >>> (worker & 31)) & 1) === 1;
  }

  add(symbol: number, worker: number): void {
    let row = this.rowOf(symbol);
    if (row < 0) row = this.newRow(symbol);
    const word = row * this.words + (worker >> 5);
    const bit = 1 << (worker & 31);
    if ((this.table[word]! & bit) !== 0) return;
    this.table[word]! |= bit;
    this.holderCounts[row]!++;
  }

  remove(symbol: number, worker: number): void {
    const row = this.rowOf(symbol);
    if (row >= 0) this.removeFrom(row, worker);
  }

  /** The worker holds nothing any more. */
  removeWorker(worker: number): void {
    for (let row = 0; row < this.rowCount; row++) this.removeFrom(row, worker);
  }

  private removeFrom(row: number, worker: number): void {
    const word = row * this.words + (worker >> 5);
    const bit = 1 << (worker & 31);
    if ((this.table[word]! & bit) === 0) return;
    this.table[word]! &= ~bit;
    if (--this.holderCounts[row]! > 0) return;
    this.rows.remove(this.symbols[row]!, 0);
    this.freeRows.push(row);
  }

  private newRow(symbol: number): number {
    const row = this.freeRows.pop() ?? this.rowCount++;
    if (row >= this.holderCounts.length) {
      this.holderCounts = grown(this.holderCounts, row + 1);
      this.symbols = grown(this.symbols, row + 1);
      this.table = grown(this.table, this.holderCounts.length * this.words);
    }
    this.symbols[row] = symbol;
    this.rows.add(symbol, 0, row);
    return row;
  }
}
