import type { WorkerStats } from "../../routing/types.js";
import type { ProxyClock } from "../clock.js";
import type { ProxyWorker } from "../core.js";
import { EngineStatsPoller } from "../engine-stats.js";

const POLL_MS = 2000;
/** Nobody has looked for so long: the page is closed. */
const UNWATCHED_MS = 10_000;

/** What engines say of themselves, polled only while somebody looks at it. */
export class WatchedStats {
  private readonly workers: readonly ProxyWorker[];
  private readonly clock: ProxyClock;
  private readonly stats: (WorkerStats | null)[] = [];
  private poller: EngineStatsPoller | null = null;
  private timer: NodeJS.Timeout | undefined;

  constructor(workers: readonly ProxyWorker[], clock: ProxyClock) {
    this.workers = workers;
    this.clock = clock;
  }

  /** Somebody looks: polls, and goes on for a while. */
  look(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.close(), UNWATCHED_MS);
    this.timer.unref();
    this.poller ??= new EngineStatsPoller(this, this.workers, POLL_MS, this.clock);
  }

  /** What an engine said last, or null. */
  latest(worker: number): WorkerStats | null {
    return this.stats[worker] ?? null;
  }

  updateStats(worker: number, stats: WorkerStats): void {
    this.stats[worker] = stats;
  }

  close(): void {
    clearTimeout(this.timer);
    this.poller?.stop();
    this.poller = null;
  }
}
