import type { RequestRecords } from "../measure/records.js";
import { ENDED } from "./phases.js";
import { RowColumns } from "./row-columns.js";

/** Takes the requests that are over, oldest first; null = they stay. */
export type Retired = ((records: RequestRecords, place: number) => void) | null;

/** The rows of a run from the oldest that may still change on: all of them, where none is handed over. */
export class RowWindow {
  rows: RowColumns;
  /** The first row that has not been retired. */
  oldest = 0;
  private readonly retired: Retired;

  /** @param mask As `Requests.mask`. */
  constructor(count: number, mask: number, retired: Retired) {
    this.rows = new RowColumns(count, mask);
    this.retired = retired;
  }

  /** New rows may have come that need wider columns. */
  fit(mask: number): void {
    if (mask !== this.rows.mask) this.rows = this.rows.widened(mask, this.oldest);
  }

  /** Hands over the oldest requests, as far as they are over; `row` is the one to which something has happened. */
  retireFrom(row: number): void {
    if (this.retired === null || row !== this.oldest) return;
    const { records, phase, pending, mask } = this.rows;
    for (let i = row & mask; phase[i] === ENDED && pending[i] === 0; i = this.oldest & mask) {
      this.retired(records, i);
      this.rows.clear(i);
      this.oldest++;
    }
  }
}
