import type { RequestRecords } from "./records.js";
import { STATUSES } from "./records.js";
import type { Slo } from "./summary.js";

const COMPLETED = STATUSES.indexOf("completed");

/** What follows from the records of each request; row `i` is request `i`, ms, NaN where there is none. */
export interface RequestMetrics {
  /** Request sent to first output token at the client. */
  readonly ttftMs: Float64Array;
  /** (E2E - TTFT) / (output tokens - 1); completed requests with two tokens or more. */
  readonly tpotMs: Float64Array;
  /** Request sent to last output token; completed requests. */
  readonly e2eMs: Float64Array;
}

/** Derives the latencies of every request from its records. */
export function requestMetrics(records: RequestRecords): RequestMetrics {
  const ttftMs = new Float64Array(records.count);
  const tpotMs = new Float64Array(records.count);
  const e2eMs = new Float64Array(records.count);
  for (let i = 0; i < records.count; i++) {
    const completed = records.status[i] === COMPLETED;
    const gaps = records.outputTokens[i]! - 1;
    const ttft = records.firstTokenMs[i]! - records.sentMs[i]!;
    const e2e = completed ? records.lastTokenMs[i]! - records.sentMs[i]! : Number.NaN;
    ttftMs[i] = ttft;
    e2eMs[i] = e2e;
    tpotMs[i] = gaps > 0 ? (e2e - ttft) / gaps : Number.NaN;
  }
  return { ttftMs, tpotMs, e2eMs };
}

/**
 * Number of requests that meet every objective asked for. A request that did not complete, or lacks a metric
 * that an objective needs, is not good; but one that completed with a single token has no gap that could be
 * too long, so it meets any TPOT objective (`vllm bench serve` counts its TPOT as 0 for goodput too).
 */
export function countGood(records: RequestRecords, metrics: RequestMetrics, slo: Slo): number {
  let good = 0;
  for (let i = 0; i < records.count; i++) {
    const [ttftMs, tpotMs, e2eMs] = [metrics.ttftMs[i]!, metrics.tpotMs[i]!, metrics.e2eMs[i]!];
    const isCompleted = records.status[i] === COMPLETED;
    if (isCompleted && meetsSlo({ outputTokens: records.outputTokens[i]!, ttftMs, tpotMs, e2eMs }, slo))
      good++;
  }
  return good;
}

/** What objectives look at of a completed request. */
export interface JudgedRequest {
  readonly outputTokens: number;
  readonly ttftMs: number;
  readonly tpotMs: number;
  readonly e2eMs: number;
}

/** Whether a completed request meets every objective asked for; see `countGood`. */
export function meetsSlo({ outputTokens, ttftMs, tpotMs, e2eMs }: JudgedRequest, slo: Slo): boolean {
  return (
    meets(ttftMs, slo.ttft_ms) &&
    meets(outputTokens === 1 ? 0 : tpotMs, slo.tpot_ms) &&
    meets(e2eMs, slo.e2e_ms)
  );
}

/** A missing metric (NaN) meets nothing; a metric exactly at its objective meets it. */
function meets(valueMs: number, objectiveMs: number | null): boolean {
  return objectiveMs === null || valueMs <= objectiveMs;
}
