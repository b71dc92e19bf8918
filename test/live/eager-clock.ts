import { VirtualClock } from "../../mock-engines/virtual-clock.js";

/** Virtual ms; what is due further ahead, such as the end of a lease, does not come by itself. */
const HORIZON_MS = 60_000;

/**
 * Virtual time that goes on to the next deadline as soon as the event loop has dealt with the one before, so that
 * engines work as fast as the machine can, and no lease ends because the machine is slow.
 */
export class EagerClock extends VirtualClock {
  private timeMs = 0;
  private stepping: NodeJS.Immediate | null = null;

  constructor() {
    super(1);
  }

  override nowMs(): number {
    return this.timeMs;
  }

  /** Lets everything happen that is due, however far ahead. */
  runOut(): void {
    while (this.nextDueMs < Infinity) this.step();
  }

  protected override arm(): void {
    if (this.stepping !== null || this.nextDueMs - this.timeMs > HORIZON_MS) return;
    this.stepping = setImmediate(() => {
      this.stepping = null;
      if (this.nextDueMs < Infinity) this.step();
    });
  }

  private step(): void {
    this.timeMs = Math.max(this.timeMs, this.nextDueMs);
    this.catchUp();
  }
}
