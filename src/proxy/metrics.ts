import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Router } from "../routing/router.js";
import type { RoutingRequest } from "../routing/types.js";
import type { ProxyWorker, RequestFacts, RequestObserver, RequestOutcome } from "./core.js";

/** vllm-router's buckets: 1 ms to 240 s. */
const SECONDS = [
  0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 20, 30, 45, 60, 90, 120, 240,
];
const GAP_SECONDS = [0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 5];

interface Times {
  firstMs: number;
  lastMs: number;
}

/**
 * Prometheus metrics of the proxy: vllm-router's names where it has the figure, `pdbench_*` otherwise. TTFT
 * runs from the arrival of the whole request to the first byte of the answer's body; ITL is the gap between
 * successive chunks.
 */
export class ProxyMetrics implements RequestObserver {
  private readonly registry = new Registry();
  private readonly workers: readonly ProxyWorker[];
  private readonly times = new Map<number, Times>();

  private readonly requests = this.counter("vllm_router_requests_total", "Requests received.", ["route"]);
  private readonly errors = this.counter(
    "vllm_router_request_errors_total",
    "Requests that did not complete, by what became of them.",
    ["route", "error_type"],
  );
  private readonly pdRequests = this.counter(
    "vllm_router_pd_requests_total",
    "Requests that were disaggregated.",
    ["route"],
  );
  private readonly prefillRequests = this.counter(
    "vllm_router_pd_prefill_requests_total",
    "Prefill legs by worker.",
    ["worker"],
  );
  private readonly decodeRequests = this.counter(
    "vllm_router_pd_decode_requests_total",
    "Decode legs by worker.",
    ["worker"],
  );
  private readonly policyDecisions = this.counter(
    "vllm_router_policy_decisions_total",
    "Workers chosen, by policy.",
    ["policy", "worker"],
  );
  private readonly duration = this.histogram(
    "vllm_router_request_duration_seconds",
    "Arrival of the request to the end of its last leg.",
    SECONDS,
  );
  private readonly ttft = this.histogram(
    "pdbench_time_to_first_token_seconds",
    "Arrival of the request to the first byte of the answer's body.",
    SECONDS,
  );
  private readonly itl = this.histogram(
    "pdbench_inter_chunk_seconds",
    "Gap between successive chunks of a stream.",
    GAP_SECONDS,
  );
  private readonly decision = this.histogram(
    "pdbench_decision_seconds",
    "Time the routing core took for a decision.",
    [1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 1e-3, 1e-2],
  );

  constructor(router: Router, workers: readonly ProxyWorker[]) {
    this.workers = workers;
    this.gauge("vllm_router_worker_load", "Load of a worker as policies see it, requests.", (set) => {
      workers.forEach(({ id }, index) => {
        set({ worker: id }, router.load.open(index));
      });
    });
    this.gauge(
      "pdbench_open_legs",
      "Legs of a worker that are open, whatever its load counter says.",
      (set) => {
        workers.forEach(({ id, leg }, index) => {
          set({ worker: id, leg }, router.bookedLegs(index));
        });
      },
    );
    this.gauge("pdbench_decisions", "Decisions so far, by branch.", (set) => {
      for (const [branch, count] of Object.entries(router.branchCounts())) set({ branch }, count);
    });
    this.gauge("vllm_router_active_workers", "Workers known.", (set) => {
      set({}, workers.length);
    });
  }

  /** The exposition text. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  onRouted({ id, path, decision, receivedMs }: RequestFacts, _: RoutingRequest, decisionMs: number): void {
    this.requests.inc({ route: path });
    this.decision.observe(decisionMs / 1000);
    this.times.set(id, { firstMs: receivedMs, lastMs: Number.NaN });
    if (decision.path === "disaggregated") this.pdRequests.inc({ route: path });
    if (decision.prefill !== null) this.prefillRequests.inc({ worker: this.id(decision.prefill.worker) });
    for (const leg of [decision.prefill, decision.decode]) {
      if (leg !== null) this.policyDecisions.inc({ policy: leg.policy, worker: this.id(leg.worker) });
    }
  }

  onAnswer({ id, receivedMs }: RequestFacts, status: number, _chunk: Buffer, nowMs: number): void {
    if (status >= 400) return;
    const times = this.times.get(id)!;
    if (Number.isNaN(times.lastMs)) this.ttft.observe((nowMs - receivedMs) / 1000);
    else this.itl.observe((nowMs - times.lastMs) / 1000);
    times.lastMs = nowMs;
  }

  onEnd(facts: RequestFacts, outcome: RequestOutcome, _status: number, nowMs: number): void {
    const { id, path, decision, receivedMs } = facts;
    this.times.delete(id);
    this.duration.observe((nowMs - receivedMs) / 1000);
    if (decision.decode !== null) this.decodeRequests.inc({ worker: this.id(decision.decode.worker) });
    if (outcome !== "completed") this.errors.inc({ route: path, error_type: outcome });
  }

  private id(worker: number): string {
    return this.workers[worker]!.id;
  }

  private counter<L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> {
    return new Counter({ name, help, labelNames: [...labelNames], registers: [this.registry] });
  }

  private histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name, help, buckets, registers: [this.registry] });
  }

  private gauge(
    name: string,
    help: string,
    collect: (set: (labels: Record<string, string>, value: number) => void) => void,
  ): void {
    const labelNames = ["worker", "leg", "branch"];
    new Gauge({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect() {
        this.reset();
        collect((labels, value) => {
          this.set(labels, value);
        });
      },
    });
  }
}
