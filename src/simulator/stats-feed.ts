import type { Engine } from "../engine/types.js";
import type { RequestRouter } from "../routing/router-replicas.js";
import type { WorkerStats } from "../routing/types.js";
import type { SignalSetup } from "./setup.js";

interface Poll {
  readonly arrivesMs: number;
  readonly stats: readonly WorkerStats[];
}

/**
 * Brings engine statistics to the router the way a router gets them: polled at intervals and a little late,
 * or read at every decision when the interval is 0.
 */
export class StatsFeed {
  private readonly router: RequestRouter;
  private readonly engines: readonly Engine[];
  private readonly signals: SignalSetup;
  private readonly wanted: boolean;
  private readonly onTheWay: Poll[] = [];
  private polls = 0;

  /** Nothing is polled or delivered before this time. */
  nextMs: number;

  constructor(router: RequestRouter, engines: readonly Engine[], signals: SignalSetup) {
    this.router = router;
    this.engines = engines;
    this.signals = signals;
    this.wanted = router.usesStats();
    this.nextMs = this.wanted && signals.statsIntervalMs > 0 ? 0 : Infinity;
  }

  /** Delivers what the router has heard by `nowMs`. Engines do not change between events, so late is exact. */
  pollUntil(nowMs: number): void {
    const { statsIntervalMs, statsDelayMs } = this.signals;
    while (this.polls * statsIntervalMs <= nowMs) {
      const atMs = this.polls++ * statsIntervalMs;
      this.onTheWay.push({ arrivesMs: atMs + statsDelayMs, stats: this.read(atMs) });
    }
    while (this.onTheWay.length > 0 && this.onTheWay[0]!.arrivesMs <= nowMs) {
      this.onTheWay.shift()!.stats.forEach((stats, worker) => this.router.updateStats(worker, stats));
    }
    this.nextMs = Math.min(this.polls * statsIntervalMs, this.onTheWay[0]?.arrivesMs ?? Infinity);
  }

  /** With interval 0 the router knows the engines as they are at the instant of its decision. */
  readAtDecision(nowMs: number): void {
    if (!this.wanted || this.signals.statsIntervalMs !== 0) return;
    this.read(nowMs).forEach((stats, worker) => this.router.updateStats(worker, stats));
  }

  private read(atMs: number): WorkerStats[] {
    return this.engines.map((engine) => ({ ...engine.gauges(atMs), atMs }));
  }
}
