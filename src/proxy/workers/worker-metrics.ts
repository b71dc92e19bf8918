import { Counts } from "../counts.js";
import type { MetricFamilies } from "../metric-families.js";
import type { BreakerState } from "./circuit-breaker.js";
import type { WorkerRoster } from "./worker-roster.js";

/** As vllm-router numbers them. */
const STATE_NUMBERS: Readonly<Record<BreakerState, number>> = { closed: 0, open: 1, half_open: 2 };

/** Health and breakers of the workers under vllm-router's names. */
export function addWorkerMetrics(families: MetricFamilies, roster: WorkerRoster): void {
  const transitions = new Counts();
  const outcomes = new Counts();
  roster.observe({
    onBreaker: ({ id }, from, to) => transitions.add(id, from, to),
    onVerdict: ({ id }, verdict) => {
      if (verdict !== "unknown") outcomes.add(id, verdict === "sound" ? "success" : "failure");
    },
  });
  const perWorker = (name: string, help: string, value: (index: number) => number) => {
    families.gauge(name, help, ["worker"], () =>
      roster.present().map((index) => [{ worker: roster.workers[index]!.id }, value(index)] as const),
    );
  };
  perWorker("vllm_router_worker_health", "1: health checks succeed, 0: the worker is down.", (index) =>
    Number(roster.isHealthy(index)),
  );
  perWorker(
    "vllm_router_cb_state",
    "Circuit breaker: 0 closed, 1 open, 2 half open.",
    (index) => STATE_NUMBERS[roster.breaker(index)],
  );
  const moved = ["worker", "from", "to"];
  families.counter("vllm_router_cb_state_transitions_total", "Changes of circuit breakers.", moved, () =>
    transitions.samples(moved),
  );
  const ended = ["worker", "outcome"];
  families.counter("vllm_router_cb_outcomes_total", "Legs by what they said of their worker.", ended, () =>
    outcomes.samples(ended),
  );
  families.gauge("vllm_router_active_workers", "Workers that take requests.", [], () => [
    [{}, roster.available("prefill").length + roster.available("decode").length],
  ]);
  families.gauge("pdbench_draining_workers", "Removed workers that still have requests.", [], () => [
    [{}, roster.draining().length],
  ]);
}
