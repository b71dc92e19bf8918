import type { Random } from "../../values/random.js";
import type { ProxyClock } from "../clock.js";
import type { ProxyResilience } from "../resilience.js";
import { RetryBudget } from "./retry-budget.js";
import type { RetryPlan } from "./retry-plan.js";

/** What the retries of all requests have in common: the budget, the clock, the jitter. */
export class Retries {
  private readonly budget = new RetryBudget();
  private readonly settings: () => ProxyResilience;
  private readonly timers: ProxyClock;
  private readonly random: Random;

  /** @param settings Asked each time, since they may change while the proxy runs. */
  constructor(settings: () => ProxyResilience, timers: ProxyClock, random: Random) {
    this.settings = settings;
    this.timers = timers;
    this.random = random;
  }

  /** A request has come in. */
  onRequest(): void {
    const { retries } = this.settings();
    if (retries !== null) this.budget.onRequest(retries, this.timers.nowMs());
  }

  /**
   * Takes a retry, if the request may have another and the budget has one.
   *
   * @param hasOther See `RetryPlan.waitMs`.
   * @returns how long to wait before it, or null
   */
  take(plan: RetryPlan, hasOther: boolean): number | null {
    const { retries } = this.settings();
    const nowMs = this.timers.nowMs();
    const waitMs = plan.waitMs(hasOther, nowMs, this.random.nextFloat());
    if (retries === null || waitMs === null || !this.budget.take(retries, nowMs)) return null;
    plan.onRetry();
    return waitMs;
  }
}
