import type { HealthSettings } from "../resilience.js";

/** `assumed`: not checked yet, taken to be up. */
export type HealthState = "assumed" | "up" | "down";

/** First wait before a worker that is down is checked again; it doubles from check to check. */
const FIRST_RECHECK_MS = 250;
/** Largest part of an interval by which a check is moved, either way. */
const JITTER = 0.1;

/**
 * What the checks of one worker have found; time and randomness come in as arguments.
 *
 * A worker that is up goes down after `failureThreshold` failures in a row, and comes back after
 * `successThreshold` successes. One that has never answered is down after its first failure and up after its
 * first success. Checks come at `intervalMs` while nothing happens; as long as something is about to change
 * they come sooner: after one timeout, or, while the worker is down, at waits that double up to the interval.
 */
export class HealthRecord {
  private current: HealthState;
  private hasAnswered = false;
  private inRow = 0;
  private recheckMs = FIRST_RECHECK_MS;
  /** When the next check is due; Infinity while one is under way. */
  private dueMs = -Infinity;

  /** @param state `down` for a worker that must answer before it gets anything. */
  constructor(state: "assumed" | "down") {
    this.current = state;
  }

  get state(): HealthState {
    return this.current;
  }

  isDue(nowMs: number): boolean {
    return nowMs >= this.dueMs;
  }

  /** A check is under way. */
  onCheck(): void {
    this.dueMs = Infinity;
  }

  /**
   * A check has succeeded or failed.
   *
   * @param draw Uniform in [0, 1): where in its window the next check falls.
   * @returns true when the state has changed
   */
  onResult(isSuccess: boolean, settings: HealthSettings, nowMs: number, draw: number): boolean {
    const changed = isSuccess ? this.onSuccess(settings) : this.onFailure(settings);
    this.dueMs = nowMs + this.waitMs(isSuccess, settings) * (1 + JITTER * (2 * draw - 1));
    return changed;
  }

  /** A connection could not be made: as good as a failed check, and reason for the next one at once. */
  onConnectFailure(settings: HealthSettings, nowMs: number): boolean {
    if (this.current === "down") return false;
    // A check that is under way will say more.
    if (this.dueMs !== Infinity) this.dueMs = nowMs;
    return this.onFailure(settings);
  }

  private onSuccess({ successThreshold }: HealthSettings): boolean {
    this.inRow = this.current === "down" ? this.inRow + 1 : 0;
    const isUp = this.current === "up";
    const isEnough = !this.hasAnswered || this.current === "assumed" || this.inRow >= successThreshold;
    this.hasAnswered = true;
    if (isUp || !isEnough) return false;
    this.enter("up");
    return true;
  }

  private onFailure({ failureThreshold }: HealthSettings): boolean {
    if (this.current === "down") {
      this.inRow = 0;
      return false;
    }
    this.inRow++;
    if (this.hasAnswered && this.inRow < failureThreshold) return false;
    this.enter("down");
    return true;
  }

  private enter(state: HealthState): void {
    this.current = state;
    this.inRow = 0;
    this.recheckMs = FIRST_RECHECK_MS;
  }

  private waitMs(isSuccess: boolean, settings: HealthSettings): number {
    const { intervalMs, timeoutMs, startupCheckIntervalMs } = settings;
    if (this.current === "up" && isSuccess) return intervalMs;
    if (this.current === "up" || isSuccess) return Math.min(intervalMs, timeoutMs);
    const wait = this.recheckMs;
    this.recheckMs *= 2;
    return Math.min(wait, this.hasAnswered ? intervalMs : startupCheckIntervalMs);
  }
}
