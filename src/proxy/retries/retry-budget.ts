import type { RetrySettings } from "../resilience.js";

/** Retries that may be saved up, in seconds of `budgetPerS`. */
const SAVED_S = 10;

/**
 * Retries that all requests of a proxy may make together: a share of the requests and a few per second. Without
 * it, a fleet in trouble would get every request several times.
 */
export class RetryBudget {
  private saved = Infinity;
  private atMs = -Infinity;

  /** A request has come in. */
  onRequest(settings: RetrySettings, nowMs: number): void {
    this.refill(settings, nowMs);
    this.saved = Math.min(this.saved + settings.budgetShare, capacity(settings));
  }

  /** Takes one retry. @returns false when there is none */
  take(settings: RetrySettings, nowMs: number): boolean {
    this.refill(settings, nowMs);
    if (this.saved < 1) return false;
    this.saved--;
    return true;
  }

  private refill(settings: RetrySettings, nowMs: number): void {
    const gained = this.atMs === -Infinity ? 0 : ((nowMs - this.atMs) / 1000) * settings.budgetPerS;
    this.saved = Math.min(this.saved + gained, capacity(settings));
    this.atMs = nowMs;
  }
}

function capacity({ budgetPerS }: RetrySettings): number {
  return Math.max(1, SAVED_S * budgetPerS);
}
