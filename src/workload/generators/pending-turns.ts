import type { Sampler } from "../distributions.js";
import type { Text } from "./generated-trace.js";

/**
 * Time per generated token that arrival times of later turns assume, ms. It matters only where turns are sent
 * at their own times; linked turns wait for the real end of the turn before.
 */
const NOMINAL_TPOT_MS = 25;

/** A turn of a session that waits to arrive. */
export interface Turn {
  readonly arrivalMs: number;
  readonly session: number;
  /** What the session has said so far. */
  readonly text: Text;
  /** NaN for the first turn. */
  readonly thinkMs: number;
}

/** Sessions that begin at random gaps and their later turns, in order of arrival: a binary heap. */
export class PendingTurns {
  private readonly sessionGap: Sampler;
  private readonly heap: Turn[] = [];
  /** Sessions of the turns in the heap: each has one at most. */
  private readonly sessions = new Set<number>();
  private nextSessionMs = 0;

  constructor(sessionGap: Sampler) {
    this.sessionGap = sessionGap;
  }

  nextMs(): number {
    return Math.min(this.nextSessionMs, this.heap[0]?.arrivalMs ?? Infinity);
  }

  /** Whether the session has a turn that has not been taken. */
  awaits(session: number): boolean {
    return this.sessions.has(session);
  }

  /** Takes the turn that arrives next; `begin` makes a new session where that is a first turn. */
  take(begin: () => Pick<Turn, "session" | "text">): Turn {
    if (this.nextSessionMs > (this.heap[0]?.arrivalMs ?? Infinity)) return this.pop();
    const arrivalMs = this.nextSessionMs;
    this.nextSessionMs += this.sessionGap();
    return { arrivalMs, thinkMs: NaN, ...begin() };
  }

  /** The session of `turn` goes on after `outputTokens` were generated and the user has thought. */
  addNext(turn: Turn, outputTokens: number, thinkMs: number): void {
    const arrivalMs = turn.arrivalMs + outputTokens * NOMINAL_TPOT_MS + thinkMs;
    this.push({ arrivalMs, session: turn.session, text: turn.text, thinkMs });
  }

  private push(turn: Turn): void {
    const { heap } = this;
    this.sessions.add(turn.session);
    let hole = heap.length;
    heap.push(turn);
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (heap[parent]!.arrivalMs <= turn.arrivalMs) break;
      heap[hole] = heap[parent]!;
      hole = parent;
    }
    heap[hole] = turn;
  }

  private pop(): Turn {
    const { heap } = this;
    const first = heap[0]!;
    this.sessions.delete(first.session);
    const moved = heap.pop()!;
    if (heap.length === 0) return first;
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.arrivalMs < heap[child]!.arrivalMs) child++;
      if (heap[child]!.arrivalMs >= moved.arrivalMs) break;
      heap[hole] = heap[child]!;
      hole = child;
    }
    heap[hole] = moved;
    return first;
  }
}
