import type { Workload } from "../workload/workload.js";
import { Agenda } from "./agenda.js";

const SEND = 0;

/**
 * When each request of a workload is sent: at its own time, when the session's turn before it has ended and
 * the user has thought, or, in a closed loop, when one of the open requests makes room.
 */
export class Arrivals {
  private readonly workload: Workload;
  /** Rows that wait for another row to end: the next turn of each, -1 = none. */
  private readonly nextTurn: Int32Array;
  private readonly later = new Agenda();
  private row = 0;

  constructor(workload: Workload) {
    this.workload = workload;
    this.nextTurn = new Int32Array(workload.count).fill(-1);
    for (let row = 0; row < workload.count; row++) {
      const previous = workload.previous[row]!;
      if (previous >= 0) this.nextTurn[previous] = row;
    }
    this.skipTurns();
    for (let open = 0; open < workload.concurrency && this.row < workload.count; open++) this.sendNext(0);
  }

  /** Time of the next send; Infinity when nothing is due until a request ends. */
  atMs(): number {
    return Math.min(this.traceMs(), this.later.atMs());
  }

  /** Takes the next request to send. */
  take(): number {
    const traceMs = this.traceMs();
    if (traceMs <= this.later.atMs() && traceMs < Infinity) {
      const row = this.row++;
      this.skipTurns();
      return row;
    }
    this.later.pop();
    return this.later.subject;
  }

  /** Request `row` has ended, however it ended: its session goes on, or its place is given to another. */
  onEnded(row: number, nowMs: number): void {
    const next = this.nextTurn[row]!;
    if (next >= 0) {
      this.later.push(nowMs + this.workload.thinkMs[next]!, SEND, next);
    } else if (this.workload.concurrency > 0 && this.row < this.workload.count) {
      this.sendNext(nowMs);
    }
  }

  private traceMs(): number {
    if (this.workload.concurrency > 0 || this.row >= this.workload.count) return Infinity;
    return this.workload.arrivalMs[this.row]!;
  }

  private sendNext(nowMs: number): void {
    this.later.push(nowMs, SEND, this.row++);
    this.skipTurns();
  }

  private skipTurns(): void {
    const { previous, count } = this.workload;
    while (this.row < count && previous[this.row]! >= 0) this.row++;
  }
}
