import { distributionOf } from "./distribution.js";
import { gapDistribution } from "./gap-percentiles.js";
import type { RunResult, RunTotals, WorkerRecord } from "./records.js";
import { PATHS } from "./records.js";
import { requestMetrics } from "./request-metrics.js";
import { RequestTally } from "./request-tally.js";
import { scoreOf } from "./score.js";
import type { Balance, Provenance, Slo, Summary, WorkerSummary } from "./summary.js";

/** What a summary states beside the measurements. */
export interface SummaryContext {
  /** Name of the scenario. */
  readonly scenario: string;
  /** Version and workload, for runs that stand alone. */
  readonly provenance?: Provenance;
  /** Every setting that was in force, as it goes into the file. */
  readonly settings: unknown;
  readonly slo: Slo;
  /** False where prefixes are not known (a trace without block ids): hit rates are then null. Default true. */
  readonly hitRatesKnown?: boolean;
  /** Wall time of the simulation, s; adds the `simulator` section. */
  readonly wallS?: number;
  /** Mean wall time of a routing decision, microseconds; live runs. */
  readonly meanDecisionUs?: number;
}

/** The latencies that a summary states. */
export type Latencies = Pick<
  Summary,
  "ttft_ms" | "itl_ms" | "tpot_ms" | "e2e_ms" | "queue_ms" | "kv_transfer_ms"
>;

/** Everything `summary.json` says of a run. Definitions: docs/metrics.md. */
export function summarize(run: RunResult, context: SummaryContext): Summary {
  const { records } = run;
  const { ttftMs, tpotMs, e2eMs } = requestMetrics(records);
  const tally = new RequestTally(context.slo);
  for (let i = 0; i < records.count; i++) tally.add(records, i);
  return summaryOf(run, tally, context, {
    ttft_ms: distributionOf(ttftMs),
    itl_ms: gapDistribution(run.gaps),
    tpot_ms: distributionOf(tpotMs),
    e2e_ms: distributionOf(e2eMs),
    queue_ms: distributionOf(records.queueMs),
    kv_transfer_ms: distributionOf(records.kvTransferMs),
  });
}

/** A summary from what a run counted, however its requests were measured. */
export function summaryOf(
  run: RunTotals,
  tally: RequestTally,
  context: SummaryContext,
  latencies: Latencies,
): Summary {
  const hitRatesKnown = context.hitRatesKnown ?? true;
  const durationS = run.durationMs / 1000;
  const [completed, failed, cancelled] = tally.statuses as [number, number, number];
  const requests = { total: tally.total, completed, failed, cancelled };
  const cache = cacheOf(tally, hitRatesKnown);
  return {
    schema: "pdbench/summary@1",
    scenario: context.scenario,
    ...context.provenance,
    settings: context.settings,
    requests,
    duration_s: durationS,
    throughput: {
      requests_per_s: ratio(completed, durationS) ?? 0,
      input_tokens_per_s: ratio(tally.inputTokens, durationS) ?? 0,
      output_tokens_per_s: ratio(tally.outputTokens, durationS) ?? 0,
    },
    ...latencies,
    cache,
    routing: routingOf(run, tally, context.meanDecisionUs),
    goodput: {
      slo: context.slo,
      attainment: ratio(tally.good, tally.total) ?? 0,
      requests_per_s: ratio(tally.good, durationS) ?? 0,
    },
    balance: { prefill: balanceOf(run.workers, "prefill"), decode: balanceOf(run.workers, "decode") },
    workers: run.workers.map((worker) => workerSummary(worker, run.durationMs, hitRatesKnown)),
    score: scoreOf({ requests, ...latencies, cache }, context.slo),
    notes: run.notes,
    ...(context.wallS === undefined ? {} : { simulator: simulatorOf(run, tally.total, context.wallS) }),
  };
}

function ratio(numerator: number, denominator: number): number | null {
  return denominator === 0 ? null : numerator / denominator;
}

function cacheOf(tally: RequestTally, known: boolean): Summary["cache"] {
  const { hits, prefillCache: prefill, decodeCache: decode } = tally;
  return {
    hit_rate: known ? ratio(hits, decode.prompts) : null,
    hit_tokens: hits,
    prompt_tokens: decode.prompts,
    prefill_hit_rate: known ? ratio(prefill.hits, prefill.prompts) : null,
    decode_hit_rate: known ? ratio(decode.hits, decode.prompts) : null,
  };
}

function routingOf(
  { branches, legBranches }: RunTotals,
  tally: RequestTally,
  meanDecisionUs?: number,
): Summary["routing"] {
  return {
    disaggregated: tally.paths[PATHS.indexOf("disaggregated")]!,
    decode_only: tally.paths[PATHS.indexOf("decode_only")]!,
    branches: Object.fromEntries(branches.map((name, i) => [name, tally.branches[i] ?? 0])),
    ...(legBranches === undefined ? {} : { leg_branches: legBranches }),
    ...(meanDecisionUs === undefined ? {} : { mean_decision_us: meanDecisionUs }),
  };
}

function balanceOf(
  workers: readonly WorkerRecord[],
  role: WorkerRecord["role"],
): { requests: Balance; busy: Balance } {
  const leg = workers.filter((worker) => worker.role === role);
  return {
    requests: spreadOf(leg.map((worker) => worker.requests)),
    busy: spreadOf(leg.map((worker) => worker.busyMs)),
  };
}

/** Largest over mean, and population standard deviation over mean; null where nothing was done. */
function spreadOf(values: readonly number[]): Balance {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length === 0 || mean === 0) return { max_over_mean: null, coefficient_of_variation: null };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { max_over_mean: Math.max(...values) / mean, coefficient_of_variation: Math.sqrt(variance) / mean };
}

function workerSummary(worker: WorkerRecord, durationMs: number, hitsKnown: boolean): WorkerSummary {
  return {
    id: worker.id,
    role: worker.role,
    requests: worker.requests,
    busy_s: worker.busyMs / 1000,
    utilization: ratio(worker.busyMs, durationMs) ?? 0,
    max_running: worker.maxRunning,
    max_waiting: worker.maxWaiting,
    kv_peak: worker.kvPeak,
    hit_rate: hitsKnown ? ratio(worker.hitTokens, worker.promptTokens) : null,
    preemptions: worker.preemptions,
  };
}

function simulatorOf(run: RunTotals, requests: number, wallS: number): NonNullable<Summary["simulator"]> {
  return {
    wall_s: wallS,
    requests_per_s: ratio(requests, wallS) ?? 0,
    events: run.events,
    steps: run.steps,
  };
}
