import { PATHS, STATUSES, type RequestRecords } from "./records.js";
import { meetsObjectives, metricsOf, type Metrics } from "./request-metrics.js";
import type { Slo } from "./summary.js";

const COMPLETED = STATUSES.indexOf("completed");
const DISAGGREGATED = PATHS.indexOf("disaggregated");

/** What a summary counts of the requests, one request after the other. */
export class RequestTally {
  total = 0;
  readonly statuses: number[] = STATUSES.map(() => 0);
  /** Requests that meet every objective. */
  good = 0;
  /** Tokens of completed requests only, as `vllm bench serve` counts them. */
  inputTokens = 0;
  outputTokens = 0;
  readonly prefillCache = { hits: 0, prompts: 0 };
  readonly decodeCache = { hits: 0, prompts: 0 };
  /** Hits where the prompt was computed, once for each request. */
  hits = 0;
  readonly paths: number[] = PATHS.map(() => 0);
  /** By index into the run's branches; shorter where the last ones were not taken. */
  readonly branches: number[] = [];
  private readonly slo: Slo;
  private readonly metrics: Metrics = { ttftMs: NaN, tpotMs: NaN, e2eMs: NaN };

  constructor(slo: Slo) {
    this.slo = slo;
  }

  /** Counts row `i` and returns its latencies, in an object that the next call uses again. */
  add(records: RequestRecords, i: number): Metrics {
    const metrics = metricsOf(records, i, this.metrics);
    this.total++;
    this.statuses[records.status[i]!]!++;
    if (meetsObjectives(records, i, metrics, this.slo)) this.good++;
    if (records.status[i] === COMPLETED) {
      this.inputTokens += records.inputTokens[i]!;
      this.outputTokens += records.outputTokens[i]!;
    }
    this.countHits(records, i);
    this.countRoute(records, i);
    return metrics;
  }

  /** Hits and prompt tokens of the requests that were admitted. */
  private countHits(records: RequestRecords, i: number): void {
    // Live runs know no queue time: there the first token proves the admission.
    if (Number.isNaN(records.queueMs[i]!) && Number.isNaN(records.firstTokenMs[i]!)) return;
    const { prefillCache, decodeCache } = this;
    const promptTokens = records.inputTokens[i]!;
    const cachedTokens = records.cachedTokens[i]!;
    this.hits += cachedTokens;
    decodeCache.prompts += promptTokens;
    if (records.path[i] === DISAGGREGATED) {
      prefillCache.hits += cachedTokens;
      prefillCache.prompts += promptTokens;
      decodeCache.hits += records.decodeCachedTokens[i]!;
    } else {
      decodeCache.hits += cachedTokens;
    }
  }

  private countRoute(records: RequestRecords, i: number): void {
    // A request that no worker got (rejected, or never sent) was not routed.
    if (records.decodeWorker[i] === -1 && records.prefillWorker[i] === -1) return;
    this.paths[records.path[i]!]!++;
    const branch = records.branch[i]!;
    while (this.branches.length <= branch) this.branches.push(0);
    this.branches[branch]!++;
  }
}
