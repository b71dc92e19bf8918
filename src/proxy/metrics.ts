import { Counter, Gauge, Registry } from "prom-client";
import type { Router } from "../routing/router.js";
import type { RouteDecision, RoutingRequest } from "../routing/types.js";
import type { ProxyWorker, RequestFacts, RequestObserver, RequestOutcome } from "./core.js";
import { LatencyHistogram } from "./latency-histogram.js";
import { RecentSamples } from "./recent-samples.js";

/** vllm-router's buckets: 1 ms to 240 s. */
const SECONDS = [
  0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 20, 30, 45, 60, 90, 120, 240,
];
const GAP_SECONDS = [0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 5];
const DECISION_SECONDS = [1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 1e-3, 1e-2];

const RECENT_REQUESTS = 1 << 11;
const RECENT_GAPS = 1 << 14;

type Labels = Readonly<Record<string, string>>;
type Samples = Iterable<readonly [Labels, number]>;

/**
 * Prometheus metrics of the proxy: vllm-router's names where it has the figure, `pdbench_*` otherwise. TTFT
 * runs from the arrival of the whole request to the first byte of the answer's body; ITL is the gap between
 * successive chunks. What happens with every request is only counted here; prom-client gets it when asked.
 */
export class ProxyMetrics implements RequestObserver {
  /** ms, by the worker that prefilled, by the one that decoded; gaps by the latter. */
  readonly recent = {
    ttftByPrefill: new RecentSamples(RECENT_REQUESTS),
    ttftByDecode: new RecentSamples(RECENT_REQUESTS),
    itl: new RecentSamples(RECENT_GAPS),
  };
  private readonly registry = new Registry();
  /** When the last chunk of an open request came, ms; NaN before the first. */
  private readonly lastChunkMs = new Map<number, number>();
  private readonly requests = new Map<string, number>();
  private readonly pdRequests = new Map<string, number>();
  private readonly errors = new Map<string, number>();
  private readonly prefillLegs: Float64Array;
  private readonly decodeLegs: Float64Array;
  private readonly duration = new LatencyHistogram(
    "vllm_router_request_duration_seconds",
    "Arrival of the request to the end of its last leg.",
    SECONDS,
  );
  private readonly ttft = new LatencyHistogram(
    "pdbench_time_to_first_token_seconds",
    "Arrival of the request to the first byte of the answer's body.",
    SECONDS,
  );
  private readonly itl = new LatencyHistogram(
    "pdbench_inter_chunk_seconds",
    "Gap between successive chunks of an answer.",
    GAP_SECONDS,
  );
  private readonly decision = new LatencyHistogram(
    "pdbench_decision_seconds",
    "Time the routing core took for a decision.",
    DECISION_SECONDS,
  );

  constructor(router: Router, workers: readonly ProxyWorker[]) {
    this.prefillLegs = new Float64Array(workers.length);
    this.decodeLegs = new Float64Array(workers.length);
    const byRoute = (counts: ReadonlyMap<string, number>) => () =>
      [...counts].map(([route, count]) => [{ route }, count] as const);
    const byWorker = (leg: string, value: (index: number) => number) => () =>
      workers.flatMap((worker, index) =>
        leg === "" || worker.leg === leg ? [[{ worker: worker.id }, value(index)] as const] : [],
      );
    this.counter("vllm_router_requests_total", "Requests that were routed.", byRoute(this.requests));
    this.counter(
      "vllm_router_pd_requests_total",
      "Requests that were disaggregated.",
      byRoute(this.pdRequests),
    );
    this.counter(
      "vllm_router_request_errors_total",
      "Requests that did not complete, by what became of them.",
      () =>
        [...this.errors].map(([key, count]) => {
          const [error_type, route] = key.split(" ", 2) as [string, string];
          return [{ route, error_type }, count] as const;
        }),
    );
    this.counter(
      "vllm_router_pd_prefill_requests_total",
      "Prefill legs by worker.",
      byWorker("prefill", (index) => this.prefillLegs[index]!),
    );
    this.counter(
      "vllm_router_pd_decode_requests_total",
      "Decode legs by worker.",
      byWorker("decode", (index) => this.decodeLegs[index]!),
    );
    this.gauge(
      "vllm_router_worker_load",
      "Load of a worker as policies see it, requests.",
      byWorker("", (index) => router.load.open(index)),
    );
    this.gauge(
      "pdbench_open_legs",
      "Legs of a worker that are open, whatever its load counter says.",
      byWorker("", (index) => router.bookedLegs(index)),
    );
    this.counter("pdbench_decisions_total", "Decisions by branch.", () =>
      Object.entries(router.branchCounts()).map(([branch, count]) => [{ branch }, count] as const),
    );
    this.gauge("vllm_router_active_workers", "Workers known.", () => [[{}, workers.length] as const]);
  }

  /** The exposition text. */
  async text(): Promise<string> {
    const histograms = [this.duration, this.ttft, this.itl, this.decision];
    return `${await this.registry.metrics()}${histograms.map((histogram) => histogram.text()).join("")}`;
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  onRouted({ id, path, decision }: RequestFacts, _request: RoutingRequest, decisionMs: number): void {
    increment(this.requests, path);
    this.decision.observe(decisionMs / 1000);
    this.lastChunkMs.set(id, Number.NaN);
    if (decision.path === "disaggregated") increment(this.pdRequests, path);
    if (decision.prefill !== null) this.prefillLegs[decision.prefill.worker]!++;
  }

  onAnswer({ id, receivedMs, decision }: RequestFacts, status: number, _chunk: Buffer, nowMs: number): void {
    if (status >= 400) return;
    const lastMs = this.lastChunkMs.get(id)!;
    if (Number.isNaN(lastMs)) this.observeFirst(decision, nowMs - receivedMs, nowMs);
    else {
      this.itl.observe((nowMs - lastMs) / 1000);
      this.recent.itl.add(nowMs, nowMs - lastMs, decision.decode!.worker);
    }
    this.lastChunkMs.set(id, nowMs);
  }

  onEnd(facts: RequestFacts, outcome: RequestOutcome, _status: number, nowMs: number): void {
    const { id, path, decision, receivedMs } = facts;
    this.lastChunkMs.delete(id);
    this.duration.observe((nowMs - receivedMs) / 1000);
    if (decision.decode !== null) this.decodeLegs[decision.decode.worker]!++;
    if (outcome !== "completed") increment(this.errors, `${outcome} ${path}`);
  }

  private observeFirst({ prefill, decode }: RouteDecision, ttftMs: number, nowMs: number): void {
    this.ttft.observe(ttftMs / 1000);
    this.recent.ttftByDecode.add(nowMs, ttftMs, decode!.worker);
    if (prefill !== null) this.recent.ttftByPrefill.add(nowMs, ttftMs, prefill.worker);
  }

  private counter(name: string, help: string, samples: () => Samples): void {
    const labelNames = LABELS;
    new Counter({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [labels, value] of samples()) this.inc(labels, value);
      },
    });
  }

  private gauge(name: string, help: string, samples: () => Samples): void {
    new Gauge({
      name,
      help,
      labelNames: LABELS,
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [labels, value] of samples()) this.set(labels, value);
      },
    });
  }
}

const LABELS = ["worker", "route", "error_type", "branch"];

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
