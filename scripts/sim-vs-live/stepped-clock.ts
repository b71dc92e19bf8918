import { VirtualClock } from "../../mock-engines/virtual-clock.js";
import type { ProxyClock } from "../../src/proxy/clock.js";

/** Virtual time of engines, proxy and replay that stands still until it is told to go on to the next deadline. */
export class SteppedClock extends VirtualClock implements ProxyClock {
  private timeMs = 0;

  constructor() {
    super(1);
  }

  override nowMs(): number {
    return this.timeMs;
  }

  every(intervalMs: number, tick: () => void): () => void {
    const alarm = this.alarm((dueMs) => {
      alarm.set(dueMs + intervalMs);
      tick();
    });
    alarm.set(this.timeMs + intervalMs);
    tick();
    return () => alarm.set(Infinity);
  }

  after(delayMs: number, ring: () => void): () => void {
    return this.at(this.timeMs + delayMs, ring);
  }

  /** Goes on to the next deadline and lets it ring. */
  step(): void {
    const { nextDueMs } = this;
    if (nextDueMs === Infinity) throw new Error(`nothing is due after ${this.timeMs} ms`);
    this.timeMs = nextDueMs;
    this.catchUp();
  }

  protected override arm(): void {
    // Only `step` lets time pass.
  }
}
