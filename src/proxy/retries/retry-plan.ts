import type { RetrySettings } from "../resilience.js";
import { backoffMs } from "./backoff.js";

/** Statuses that are worth another worker, as vllm-router has them. */
const RETRYABLE_STATUSES = new Set([408, 429, 500, 502, 503, 504]);

export function isRetryable(status: number): boolean {
  return RETRYABLE_STATUSES.has(status);
}

/**
 * What `Retry-After` asks for: whole seconds or a date (RFC 9110 10.2.3).
 *
 * @param dateMs The date now.
 * @returns null when there is nothing, or nothing that can be read
 */
export function retryAfterMs(value: string | undefined, dateMs: number): number | null {
  if (value === undefined) return null;
  if (/^\s*\d+\s*$/.test(value)) return Number(value) * 1000;
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - dateMs);
}

/**
 * The attempts at one request. A worker that has failed it is not asked again, unless it has said when to
 * (`Retry-After`) and nobody else is left; then it is waited for.
 */
export class RetryPlan {
  private readonly settings: RetrySettings | null;
  private made = 1;
  /** When a worker that has failed may be asked again. */
  private readonly againMs = new Map<number, number>();

  /** @param settings Null: one attempt only. */
  constructor(settings: RetrySettings | null) {
    this.settings = settings;
  }

  /** Attempts so far, the one under way included. */
  get attempts(): number {
    return this.made;
  }

  get isExhausted(): boolean {
    return this.settings !== null && this.made >= this.settings.attemptsMax;
  }

  /** @param waitMs What the worker has asked for, null = nothing. */
  onFailure(worker: number, waitMs: number | null, nowMs: number): void {
    this.againMs.set(worker, waitMs === null ? Infinity : nowMs + waitMs);
  }

  /** Workers that are not to be asked now. */
  excluded(nowMs: number): number[] {
    return [...this.againMs].flatMap(([worker, untilMs]) => (untilMs > nowMs ? [worker] : []));
  }

  /**
   * How long to wait before the next attempt.
   *
   * @param hasOther Whether a worker is there that has not failed the request.
   * @param draw Uniform in [0, 1).
   * @returns null when this was the last one
   */
  waitMs(hasOther: boolean, nowMs: number, draw: number): number | null {
    if (this.settings === null || this.isExhausted) return null;
    const waitMs = backoffMs(this.settings, this.made - 1, draw);
    if (hasOther) return waitMs;
    // Timers may ring a little early.
    const restMs = Math.min(...this.againMs.values()) - nowMs + 1;
    return restMs <= this.settings.maxBackoffMs ? Math.max(waitMs, restMs) : null;
  }

  /** The next attempt is decided on. */
  onRetry(): void {
    this.made++;
  }
}
