import { Agenda } from "./agenda.js";
import type { Requests } from "./requests.js";

const SEND = 0;

/**
 * When each request of a workload is sent: at its own time, when the session's turn before it has ended and
 * the user has thought, or, in a closed loop, when one of the open requests makes room.
 */
export class Arrivals {
  private readonly requests: Requests;
  private readonly later = new Agenda();
  private row = 0;
  /** When that row is sent, where it goes by its own time; else Infinity. */
  private traceMs = Infinity;

  constructor(requests: Requests) {
    this.requests = requests;
    this.skipTurns();
    for (let open = 0; open < requests.concurrency && this.row < requests.count; open++) this.sendNext(0);
  }

  /** Time of the next send; Infinity when nothing is due until a request ends. */
  atMs(): number {
    return Math.min(this.traceMs, this.later.atMs());
  }

  /** Takes the next request to send. */
  take(): number {
    const { traceMs } = this;
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
    const { requests } = this;
    const next = requests.nextTurn(row);
    if (next >= 0) {
      this.later.push(nowMs + requests.thinkMs[next & requests.mask]!, SEND, next);
    } else if (requests.concurrency > 0 && this.row < requests.count) {
      this.sendNext(nowMs);
    }
  }

  private sendNext(nowMs: number): void {
    this.later.push(nowMs, SEND, this.row++);
    this.skipTurns();
  }

  private skipTurns(): void {
    const { requests } = this;
    while (requests.has(this.row) && requests.previous[this.row & requests.mask]! >= 0) this.row++;
    const waits = requests.concurrency > 0 || this.row >= requests.count;
    this.traceMs = waits ? Infinity : requests.arrivalMs[this.row & requests.mask]!;
  }
}
