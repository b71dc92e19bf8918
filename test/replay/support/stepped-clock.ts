import type { ReplayClock } from "../../../src/replay/send-clock.js";

/** A replay's time that goes on only when a test says so. */
export class SteppedClock implements ReplayClock {
  private timeMs = 0;
  private readonly alarms: { atMs: number; readonly ring: () => void }[] = [];

  nowMs(): number {
    return this.timeMs;
  }

  alarm(ring: () => void): { set(atMs: number): void } {
    const alarm = { atMs: Infinity, ring };
    this.alarms.push(alarm);
    return { set: (atMs) => void (alarm.atMs = atMs) };
  }

  /** Sets the time and rings, in their order, the alarms that are due by then. */
  advanceTo(timeMs: number): void {
    this.timeMs = Math.max(this.timeMs, timeMs);
    for (const alarm of this.alarms) {
      if (alarm.atMs > this.timeMs) continue;
      alarm.atMs = Infinity;
      alarm.ring();
    }
  }
}
