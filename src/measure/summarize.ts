import { distributionOf } from "./distribution.js";
import { gapDistribution } from "./gap-percentiles.js";
import type { RequestRecords, RunResult, WorkerRecord } from "./records.js";
import { PATHS, STATUSES } from "./records.js";
import { countGood, requestMetrics } from "./request-metrics.js";
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

/** Everything `summary.json` says of a run. Definitions: docs/metrics.md. */
export function summarize(run: RunResult, context: SummaryContext): Summary {
  const { records } = run;
  const metrics = requestMetrics(records);
  const hitRatesKnown = context.hitRatesKnown ?? true;
  const durationS = run.durationMs / 1000;
  const requests = countStatuses(records);
  const good = countGood(records, metrics, context.slo);
  const latencies = {
    ttft_ms: distributionOf(metrics.ttftMs),
    itl_ms: gapDistribution(run.gaps),
    tpot_ms: distributionOf(metrics.tpotMs),
    e2e_ms: distributionOf(metrics.e2eMs),
    queue_ms: distributionOf(records.queueMs),
    kv_transfer_ms: distributionOf(records.kvTransferMs),
  };
  const cache = cacheOf(records, hitRatesKnown);
  return {
    schema: "pdbench/summary@1",
    scenario: context.scenario,
    ...context.provenance,
    settings: context.settings,
    requests,
    duration_s: durationS,
    throughput: throughputOf(records, requests.completed, durationS),
    ...latencies,
    cache,
    routing: routingOf(run, context.meanDecisionUs),
    goodput: {
      slo: context.slo,
      attainment: ratio(good, records.count) ?? 0,
      requests_per_s: ratio(good, durationS) ?? 0,
    },
    balance: { prefill: balanceOf(run.workers, "prefill"), decode: balanceOf(run.workers, "decode") },
    workers: run.workers.map((worker) => workerSummary(worker, run.durationMs, hitRatesKnown)),
    score: scoreOf({ requests, ...latencies, cache }, context.slo),
    notes: run.notes,
    ...(context.wallS === undefined ? {} : { simulator: simulatorOf(run, context.wallS) }),
  };
}

function ratio(numerator: number, denominator: number): number | null {
  return denominator === 0 ? null : numerator / denominator;
}

function countStatuses({ count, status }: RequestRecords): Summary["requests"] {
  const counts = STATUSES.map(() => 0);
  for (let i = 0; i < count; i++) counts[status[i]!]!++;
  const [completed, failed, cancelled] = counts as [number, number, number];
  return { total: count, completed, failed, cancelled };
}

/** Tokens of completed requests only, as `vllm bench serve` counts them. */
function throughputOf(records: RequestRecords, completed: number, durationS: number): Summary["throughput"] {
  const done = STATUSES.indexOf("completed");
  let input = 0;
  let output = 0;
  for (let i = 0; i < records.count; i++) {
    if (records.status[i] !== done) continue;
    input += records.inputTokens[i]!;
    output += records.outputTokens[i]!;
  }
  return {
    requests_per_s: ratio(completed, durationS) ?? 0,
    input_tokens_per_s: ratio(input, durationS) ?? 0,
    output_tokens_per_s: ratio(output, durationS) ?? 0,
  };
}

/** Hits and prompt tokens of the requests that were admitted, once each, where their prompt was computed. */
function cacheOf(records: RequestRecords, known: boolean): Summary["cache"] {
  const disaggregated = PATHS.indexOf("disaggregated");
  const prefill = { hits: 0, prompts: 0 };
  const decode = { hits: 0, prompts: 0 };
  let hits = 0;
  let prompts = 0;
  for (let i = 0; i < records.count; i++) {
    // Live runs know no queue time: there the first token proves the admission.
    if (Number.isNaN(records.queueMs[i]!) && Number.isNaN(records.firstTokenMs[i]!)) continue;
    const promptTokens = records.inputTokens[i]!;
    const cachedTokens = records.cachedTokens[i]!;
    hits += cachedTokens;
    prompts += promptTokens;
    decode.prompts += promptTokens;
    if (records.path[i] === disaggregated) {
      prefill.hits += cachedTokens;
      prefill.prompts += promptTokens;
      decode.hits += records.decodeCachedTokens[i]!;
    } else {
      decode.hits += cachedTokens;
    }
  }
  return {
    hit_rate: known ? ratio(hits, prompts) : null,
    hit_tokens: hits,
    prompt_tokens: prompts,
    prefill_hit_rate: known ? ratio(prefill.hits, prefill.prompts) : null,
    decode_hit_rate: known ? ratio(decode.hits, decode.prompts) : null,
  };
}

function routingOf(
  { records, branches, legBranches }: RunResult,
  meanDecisionUs?: number,
): Summary["routing"] {
  const paths = PATHS.map(() => 0);
  const counts = branches.map(() => 0);
  for (let i = 0; i < records.count; i++) {
    // A request that no worker got (rejected, or never sent) was not routed.
    if (records.decodeWorker[i] === -1 && records.prefillWorker[i] === -1) continue;
    paths[records.path[i]!]!++;
    counts[records.branch[i]!]!++;
  }
  return {
    disaggregated: paths[PATHS.indexOf("disaggregated")]!,
    decode_only: paths[PATHS.indexOf("decode_only")]!,
    branches: Object.fromEntries(branches.map((name, i) => [name, counts[i]!])),
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

function simulatorOf(run: RunResult, wallS: number): NonNullable<Summary["simulator"]> {
  return {
    wall_s: wallS,
    requests_per_s: ratio(run.records.count, wallS) ?? 0,
    events: run.events,
    steps: run.steps,
  };
}
