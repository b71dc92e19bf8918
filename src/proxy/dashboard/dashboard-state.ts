import type { Distribution } from "../../measure/summary.js";
import type { Leg, WorkerStats } from "../../routing/types.js";
import type { ProxyCore, RequestFacts, RequestObserver, RequestOutcome } from "../core.js";
import type { ProxyMetrics } from "../metrics.js";
import { WatchedStats } from "./watched-stats.js";

/** What percentiles look back on, ms. */
const WINDOW_MS = 60_000;

/** `GET /dashboard/state`: what the dashboard shows, read afresh for every poll. Counts run from the start. */
export interface DashboardDocument {
  readonly schema: "pdbench/dashboard@1";
  readonly uptime_s: number;
  readonly window_s: number;
  readonly connector: string;
  readonly requests: Readonly<
    Record<RequestOutcome | "total" | "open" | "disaggregated" | "decode_only" | "rejected", number>
  >;
  readonly ttft_ms: Percentiles;
  readonly itl_ms: Percentiles;
  readonly decisions: readonly { readonly branch: string; readonly count: number }[];
  readonly workers: readonly WorkerDocument[];
}

interface Percentiles {
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
}

interface WorkerDocument {
  readonly url: string;
  readonly leg: Leg;
  /** Legs of this proxy that are open on the worker, and all there have been. */
  readonly open_legs: number;
  readonly legs: number;
  /** What the engine says of itself; null = nothing yet. Other clients count too. */
  readonly engine: {
    readonly running: number;
    readonly waiting: number;
    /** 0..1. */
    readonly kv_usage: number;
    readonly age_s: number;
  } | null;
  /** Of requests that this worker prefilled, or, on a decode worker, decoded. */
  readonly ttft_ms: Percentiles;
  readonly itl_ms: Percentiles;
}

/** What the dashboard shows of a proxy. */
export class DashboardState implements RequestObserver {
  private readonly core: ProxyCore;
  private readonly metrics: ProxyMetrics;
  private readonly stats: WatchedStats;
  private readonly outcomes = { completed: 0, failed: 0, retryable: 0, cancelled: 0 };
  private readonly paths = { disaggregated: 0, decode_only: 0, rejected: 0 };
  private readonly legs: number[] = [];
  private open = 0;

  constructor(core: ProxyCore, metrics: ProxyMetrics) {
    this.core = core;
    this.metrics = metrics;
    this.stats = new WatchedStats(core.workers, core.clock);
  }

  onRouted({ decision }: RequestFacts): void {
    this.open++;
    this.paths[decision.path]++;
  }

  onEnd({ decision }: RequestFacts, outcome: RequestOutcome): void {
    this.open--;
    this.outcomes[outcome]++;
    for (const chosen of [decision.prefill, decision.decode]) {
      if (chosen !== null) this.legs[chosen.worker] = (this.legs[chosen.worker] ?? 0) + 1;
    }
  }

  /** The state now; engines are asked for theirs as long as somebody looks. */
  document(): DashboardDocument {
    const { core, metrics, outcomes, paths, open } = this;
    const nowMs = core.clock.nowMs();
    const sinceMs = nowMs - WINDOW_MS;
    this.stats.look();
    return {
      schema: "pdbench/dashboard@1",
      uptime_s: nowMs / 1000,
      window_s: WINDOW_MS / 1000,
      connector: core.dialect.name,
      requests: {
        total: paths.disaggregated + paths.decode_only + paths.rejected,
        open,
        ...outcomes,
        ...paths,
      },
      ttft_ms: percentiles(metrics.recent.ttftByDecode.since(sinceMs, null)),
      itl_ms: percentiles(metrics.recent.itl.since(sinceMs, null)),
      decisions: Object.entries(core.router.branchCounts()).map(([branch, count]) => ({ branch, count })),
      workers: core.roster.present().map((index) => this.worker(core.workers[index]!, index, nowMs)),
    };
  }

  close(): void {
    this.stats.close();
  }

  private worker({ id, leg }: ProxyCore["workers"][number], index: number, nowMs: number): WorkerDocument {
    const { ttftByDecode, ttftByPrefill, itl } = this.metrics.recent;
    const ttft = leg === "prefill" ? ttftByPrefill : ttftByDecode;
    const sinceMs = nowMs - WINDOW_MS;
    const openLegs = this.core.router.bookedLegs(index);
    return {
      url: id,
      leg,
      open_legs: openLegs,
      legs: (this.legs[index] ?? 0) + openLegs,
      engine: engineOf(this.stats.latest(index), nowMs),
      ttft_ms: percentiles(ttft.since(sinceMs, index)),
      itl_ms: percentiles(itl.since(sinceMs, index)),
    };
  }
}

function engineOf(stats: WorkerStats | null, nowMs: number): WorkerDocument["engine"] {
  if (stats === null) return null;
  const { running, waiting, kvUsage, atMs } = stats;
  return { running, waiting, kv_usage: kvUsage, age_s: (nowMs - atMs) / 1000 };
}

function percentiles({ p50, p90, p99 }: Distribution): Percentiles {
  return { p50, p90, p99 };
}
