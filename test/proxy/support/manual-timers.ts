import type { ProxyClock } from "../../../src/proxy/clock.js";

/** Timers that ring when the test says so. */
export class ManualTimers implements ProxyClock {
  readonly timeScale = 1;
  private timeMs = 0;
  private readonly alarms = new Set<{ readonly dueMs: number; readonly ring: () => void }>();

  nowMs(): number {
    return this.timeMs;
  }

  every(): () => void {
    return () => undefined;
  }

  after(delayMs: number, ring: () => void): () => void {
    const alarm = { dueMs: this.timeMs + delayMs, ring };
    this.alarms.add(alarm);
    return () => this.alarms.delete(alarm);
  }

  /** Lets time pass, and everything ring that is due then. */
  pass(ms: number): void {
    this.timeMs += ms;
    for (const alarm of [...this.alarms]) {
      if (alarm.dueMs > this.timeMs) continue;
      this.alarms.delete(alarm);
      alarm.ring();
    }
  }
}
