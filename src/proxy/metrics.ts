import type { Router } from "../routing/router.js";
import type { Leg, LegOutcome, RouteDecision, RoutingRequest } from "../routing/types.js";
import type { ProxyWorker, RequestFacts, RequestObserver, RequestOutcome } from "./core.js";
import { Counts } from "./counts.js";
import { LatencyHistogram } from "./latency-histogram.js";
import { MetricFamilies } from "./metric-families.js";
import { RecentSamples } from "./recent-samples.js";

/** vllm-router's buckets: 1 ms to 240 s. */
const SECONDS = [
  0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 20, 30, 45, 60, 90, 120, 240,
];
const GAP_SECONDS = [0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 5];
const DECISION_SECONDS = [1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 1e-3, 1e-2];

const RECENT_REQUESTS = 1 << 11;
const RECENT_GAPS = 1 << 14;

/**
 * Prometheus metrics of the proxy: vllm-router's names where it has the figure, `pdbench_*` otherwise. TTFT
 * runs from the arrival of the whole request to the first byte of the answer's body; ITL is the gap between
 * successive chunks. What happens with every request is only counted here; prom-client gets it when asked.
 */
export class ProxyMetrics implements RequestObserver {
  /** For parts of the proxy that have figures of their own. */
  readonly families = new MetricFamilies();
  /** ms, by the worker that prefilled, by the one that decoded; gaps by the latter. */
  readonly recent = {
    ttftByPrefill: new RecentSamples(RECENT_REQUESTS),
    ttftByDecode: new RecentSamples(RECENT_REQUESTS),
    itl: new RecentSamples(RECENT_GAPS),
  };
  private readonly router: Router;
  private readonly workers: readonly ProxyWorker[];
  /** When the last chunk of an open request came, ms; NaN before the first. */
  private readonly lastChunkMs = new Map<number, number>();
  private readonly requests = new Counts();
  private readonly pdRequests = new Counts();
  private readonly answers = new Counts();
  private readonly errors = new Counts();
  private readonly legs = new Counts();
  private readonly legErrors = new Counts();
  private readonly choices = new Counts();
  private readonly retries = new Counts();
  private readonly exhausted = new Counts();
  private readonly backoff: LatencyHistogram;
  private readonly duration: LatencyHistogram;
  private readonly generation: LatencyHistogram;
  private readonly pdDuration: LatencyHistogram;
  private readonly ttft: LatencyHistogram;
  private readonly itl: LatencyHistogram;
  private readonly decision: LatencyHistogram;

  constructor(router: Router, workers: readonly ProxyWorker[]) {
    this.router = router;
    this.workers = workers;
    const histogram = (name: string, help: string, bounds: readonly number[] = SECONDS) =>
      this.families.histogram(new LatencyHistogram(name, help, bounds));
    const whole = "Arrival of the request to the end of its last leg";
    this.duration = histogram("vllm_router_request_duration_seconds", `${whole}.`);
    this.generation = histogram(
      "vllm_router_generate_duration_seconds",
      `${whole}, of requests that generate.`,
    );
    this.pdDuration = histogram(
      "vllm_router_pd_request_duration_seconds",
      `${whole}, of disaggregated requests.`,
    );
    this.ttft = histogram(
      "pdbench_time_to_first_token_seconds",
      "Arrival of the request to the first byte of the answer's body.",
    );
    this.itl = histogram(
      "pdbench_inter_chunk_seconds",
      "Gap between successive chunks of an answer.",
      GAP_SECONDS,
    );
    this.decision = histogram(
      "pdbench_decision_seconds",
      "Time the routing core took for a decision.",
      DECISION_SECONDS,
    );
    this.backoff = histogram("vllm_router_retry_backoff_duration_seconds", "Waits before retries.");
    this.registerRequests();
    this.registerWorkers();
  }

  private registerRequests(): void {
    const { families } = this;
    families.counter("vllm_router_requests_total", "Requests that were routed.", ["route"], () =>
      this.requests.samples(["route"]),
    );
    families.counter("vllm_router_pd_requests_total", "Requests that were disaggregated.", ["route"], () =>
      this.pdRequests.samples(["route"]),
    );
    const answered = ["route", "method", "status_code", "status_class"];
    families.counter(
      "vllm_router_http_requests_total",
      "Routed requests by the status of their answer.",
      answered,
      () => this.answers.samples(answered),
    );
    const failed = ["error_type", "route"];
    families.counter(
      "vllm_router_request_errors_total",
      "Requests that did not complete, by what became of them.",
      failed,
      () => this.errors.samples(failed),
    );
    families.counter("pdbench_decisions_total", "Decisions by branch.", ["branch"], () =>
      Object.entries(this.router.branchCounts()).map(([branch, count]) => [{ branch }, count] as const),
    );
    families.counter("vllm_router_retries_total", "Attempts after the first.", ["route"], () =>
      this.retries.samples(["route"]),
    );
    families.counter(
      "vllm_router_retries_exhausted_total",
      "Requests that failed with all their attempts.",
      ["route"],
      () => this.exhausted.samples(["route"]),
    );
    const chosen = ["policy", "worker"];
    families.counter("vllm_router_policy_decisions_total", "Workers that policies chose.", chosen, () =>
      this.choices.samples(chosen),
    );
  }

  private registerWorkers(): void {
    const { families, router, workers } = this;
    const legsOf = (counts: Counts, wanted: Leg) => () =>
      counts
        .samples(["leg", "worker"])
        .flatMap(([{ leg, worker }, count]) =>
          leg === wanted ? [[{ worker: worker! }, count] as const] : [],
        );
    for (const leg of ["prefill", "decode"] as const) {
      const [title, name] = [`${leg[0]!.toUpperCase()}${leg.slice(1)} legs`, `vllm_router_pd_${leg}`];
      families.counter(`${name}_requests_total`, `${title} by worker.`, ["worker"], legsOf(this.legs, leg));
      families.counter(
        `${name}_errors_total`,
        `${title} that failed, by worker.`,
        ["worker"],
        legsOf(this.legErrors, leg),
      );
    }
    families.counter(
      "vllm_router_processed_requests_total",
      "Legs that have ended, by worker.",
      ["worker"],
      () =>
        this.legs
          .samples(["leg", "worker"])
          .map(([{ worker }, count]) => [{ worker: worker! }, count] as const),
    );
    const gauge = (name: string, help: string, value: (index: number) => number): void => {
      families.gauge(name, help, ["worker"], () =>
        workers.flatMap(({ id, left }, index) => (left ? [] : [[{ worker: id }, value(index)] as const])),
      );
    };
    const load = (index: number) => router.load.open(index);
    gauge("vllm_router_worker_load", "Load of a worker as policies see it, requests.", load);
    gauge("vllm_router_running_requests", "Legs of a worker that are open.", (index) =>
      router.bookedLegs(index),
    );
    gauge("pdbench_open_legs", "Legs of a worker that are open, whatever its load counter says.", (index) =>
      router.bookedLegs(index),
    );
    const loads = () => workers.flatMap(({ left }, index) => (left ? [] : [load(index)]));
    families.gauge("vllm_router_max_load", "Highest load of a worker.", [], () => [
      [{}, Math.max(0, ...loads())],
    ]);
    families.gauge("vllm_router_min_load", "Lowest load of a worker.", [], () => [
      [{}, loads().length === 0 ? 0 : Math.min(...loads())],
    ]);
  }

  onRouted({ id, path, decision }: RequestFacts, _request: RoutingRequest, decisionMs: number): void {
    this.requests.add(path);
    this.decision.observe(decisionMs / 1000);
    this.lastChunkMs.set(id, Number.NaN);
    if (decision.path === "disaggregated") this.pdRequests.add(path);
  }

  onLegSent({ decision }: RequestFacts, leg: Leg, worker: number): void {
    this.choices.add(decision[leg]!.policy, this.workers[worker]!.id);
  }

  onLegEnd(_facts: RequestFacts, leg: Leg, worker: number, outcome: LegOutcome): void {
    const { id } = this.workers[worker]!;
    this.legs.add(leg, id);
    if (outcome === "failed" || outcome === "retryable") this.legErrors.add(leg, id);
  }

  onRetry({ path }: RequestFacts, _retry: number, waitMs: number): void {
    this.retries.add(path);
    this.backoff.observe(waitMs / 1000);
  }

  onRetriesExhausted({ path }: RequestFacts): void {
    this.exhausted.add(path);
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

  onEnd(
    { id, path, api, decision, receivedMs }: RequestFacts,
    outcome: RequestOutcome,
    status: number,
    nowMs: number,
  ): void {
    this.lastChunkMs.delete(id);
    const seconds = (nowMs - receivedMs) / 1000;
    this.duration.observe(seconds);
    if (api !== null) this.generation.observe(seconds);
    if (decision.path === "disaggregated") this.pdDuration.observe(seconds);
    this.answers.add(path, "POST", String(status), `${Math.floor(status / 100)}xx`);
    if (outcome !== "completed") this.errors.add(outcome, path);
  }

  private observeFirst({ prefill, decode }: RouteDecision, ttftMs: number, nowMs: number): void {
    this.ttft.observe(ttftMs / 1000);
    this.recent.ttftByDecode.add(nowMs, ttftMs, decode!.worker);
    if (prefill !== null) this.recent.ttftByPrefill.add(nowMs, ttftMs, prefill.worker);
  }
}
