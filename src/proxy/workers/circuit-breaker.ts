import type { BreakerSettings } from "../resilience.js";

export type BreakerState = "closed" | "open" | "half_open";

/** What a leg says of the worker it ran on; `unknown` when it ended for a reason of others. */
export type Verdict = "sound" | "faulty" | "unknown";

/**
 * The circuit breaker of one worker; time comes in as an argument.
 *
 * Closed, it counts failures in a row and opens when the threshold is reached within the window. Open, it lets nothing through until
 * `openMs` have gone by, then it is half open: one leg at a time goes through as a probe. A probe that fails
 * opens it again; enough in a row that succeed close it. Legs that were sent in an earlier state are not
 * counted: a burst that dies together opens the breaker once, and nothing of it disturbs the probes.
 *
 * vllm-router 0.1.14 differs: half open it lets everything through, it does not look at its window, and it takes
 * the response headers for the end, so that a stream which breaks off counts as a success.
 */
export class CircuitBreaker {
  private current: BreakerState = "closed";
  private period = 0;
  /** Successful probes in a row. */
  private probes = 0;
  /** When the latest failures in a row were, oldest first. */
  private failuresMs: number[] = [];
  private openedMs = -Infinity;
  private isProbing = false;

  get state(): BreakerState {
    return this.current;
  }

  /** Whether a leg may go to the worker now. */
  get admits(): boolean {
    return this.current === "closed" || (this.current === "half_open" && !this.isProbing);
  }

  /** Lets time do its part. @returns true when the state has changed */
  refresh({ openMs }: BreakerSettings, nowMs: number): boolean {
    if (this.current !== "open" || nowMs - this.openedMs < openMs) return false;
    this.enter("half_open");
    return true;
  }

  /** A leg goes to the worker. @returns what `onLegEnd` wants to have back */
  onLeg(): number {
    if (this.current === "half_open") this.isProbing = true;
    return this.period;
  }

  /** @returns true when the state has changed */
  onLegEnd(period: number, verdict: Verdict, settings: BreakerSettings, nowMs: number): boolean {
    if (period !== this.period) return false;
    this.isProbing = false;
    if (verdict === "unknown") return false;
    if (this.current === "half_open") return this.onProbe(verdict, settings, nowMs);
    if (verdict === "sound") {
      this.failuresMs = [];
      return false;
    }
    const sinceMs = nowMs - settings.windowMs;
    this.failuresMs = this.failuresMs.filter((failedMs) => failedMs > sinceMs);
    this.failuresMs.push(nowMs);
    if (this.failuresMs.length < settings.failureThreshold) return false;
    this.open(nowMs);
    return true;
  }

  private onProbe(verdict: Verdict, { successThreshold }: BreakerSettings, nowMs: number): boolean {
    if (verdict === "faulty") {
      this.open(nowMs);
      return true;
    }
    this.probes++;
    if (this.probes < successThreshold) return false;
    this.enter("closed");
    return true;
  }

  private open(nowMs: number): void {
    this.openedMs = nowMs;
    this.enter("open");
  }

  private enter(state: BreakerState): void {
    this.current = state;
    this.period++;
    this.probes = 0;
    this.failuresMs = [];
    this.isProbing = false;
  }
}
