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

/** The latencies of one request, as in `RequestMetrics`. */
export interface Metrics {
  ttftMs: number;
  tpotMs: number;
  e2eMs: number;
}

/** Derives the latencies of every request from its records. */
export function requestMetrics(records: RequestRecords): RequestMetrics {
  const ttftMs = new Float64Array(records.count);
  const tpotMs = new Float64Array(records.count);
  const e2eMs = new Float64Array(records.count);
  const metrics = { ttftMs: NaN, tpotMs: NaN, e2eMs: NaN };
  for (let i = 0; i < records.count; i++) {
    metricsOf(records, i, metrics);
    ttftMs[i] = metrics.ttftMs;
    tpotMs[i] = metrics.tpotMs;
    e2eMs[i] = metrics.e2eMs;
  }
  return { ttftMs, tpotMs, e2eMs };
}

/** Derives the latencies of row `i` into `out`, and returns that. */
export function metricsOf(records: RequestRecords, i: number, out: Metrics): Metrics {
  const completed = records.status[i] === COMPLETED;
  const gaps = records.outputTokens[i]! - 1;
  const ttft = records.firstTokenMs[i]! - records.sentMs[i]!;
  const e2e = completed ? records.lastTokenMs[i]! - records.sentMs[i]! : Number.NaN;
  out.ttftMs = ttft;
  out.e2eMs = e2e;
  out.tpotMs = gaps > 0 ? (e2e - ttft) / gaps : Number.NaN;
  return out;
}

/** Whether request `i` completed and meets every objective asked for; see `meetsSlo`. */
export function meetsObjectives(records: RequestRecords, i: number, metrics: Metrics, slo: Slo): boolean {
  return records.status[i] === COMPLETED && meetsSlo(records.outputTokens[i]!, metrics, slo);
}

/**
 * Whether a completed request meets every objective asked for. One that lacks a metric that an objective needs
 * does not; but one that completed with a single token has no gap that could be too long, so it meets any TPOT
 * objective (`vllm bench serve` counts its TPOT as 0 for goodput too).
 */
export function meetsSlo(outputTokens: number, metrics: Readonly<Metrics>, slo: Slo): boolean {
  return (
    meets(metrics.ttftMs, slo.ttft_ms) &&
    meets(outputTokens === 1 ? 0 : metrics.tpotMs, slo.tpot_ms) &&
    meets(metrics.e2eMs, slo.e2e_ms)
  );
}

/** A missing metric (NaN) meets nothing; a metric exactly at its objective meets it. */
function meets(valueMs: number, objectiveMs: number | null): boolean {
  return objectiveMs === null || valueMs <= objectiveMs;
}
