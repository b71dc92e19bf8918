import type { ProxyClock } from "../../../src/proxy/clock.js";

interface Entry {
  dueMs: number;
  readonly everyMs: number | null;
  readonly ring: () => void;
}

/** Time that stands still until a test lets it pass. */
export class ManualClock implements ProxyClock {
  readonly timeScale = 1;
  private timeMs = 0;
  private readonly entries = new Set<Entry>();

  nowMs(): number {
    return this.timeMs;
  }

  every(intervalMs: number, tick: () => void): () => void {
    tick();
    return this.add({ dueMs: this.timeMs + intervalMs, everyMs: intervalMs, ring: tick });
  }

  after(delayMs: number, ring: () => void): () => void {
    return this.add({ dueMs: this.timeMs + delayMs, everyMs: null, ring });
  }

  /** Lets time pass; what is due on the way happens in order. */
  pass(ms: number): void {
    const untilMs = this.timeMs + ms;
    for (let next = this.next(untilMs); next !== null; next = this.next(untilMs)) {
      this.timeMs = Math.max(this.timeMs, next.dueMs);
      if (next.everyMs === null) this.entries.delete(next);
      else next.dueMs += next.everyMs;
      next.ring();
    }
    this.timeMs = untilMs;
  }

  /** As if the process had stood still: everything that is due on the way happens late, at the end. */
  skip(ms: number): void {
    this.timeMs += ms;
    this.pass(0);
  }

  private add(entry: Entry): () => void {
    this.entries.add(entry);
    return () => void this.entries.delete(entry);
  }

  private next(untilMs: number): Entry | null {
    let first: Entry | null = null;
    for (const entry of this.entries) {
      if (entry.dueMs <= untilMs && (first === null || entry.dueMs < first.dueMs)) first = entry;
    }
    return first;
  }
}
