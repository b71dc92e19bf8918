import type { RunReport } from "../../src/report/charts/run-charts.js";
import type { LoggedDecision } from "../../src/report/explain-request.js";
import type { RequestRow, WorkerSample } from "../../src/report/run-files-reader.js";
import { randomStream } from "../../src/values/random.js";
import { summaryOf } from "./sweep-builder.js";

/** Why request 17 went where it went. */
const DECISION: LoggedDecision = {
  at_ms: 4250,
  request: 17,
  path: "disaggregated",
  decider: "threshold",
  branch: "at_or_above_threshold",
  figures: { prompt_tokens: 2613, routing_threshold: 2048 },
  prefill: { worker: "prefill-1", policy: "cache_aware", branch: "cache_hit", figures: { match_rate: 0.85 } },
  decode: { worker: "decode-1", policy: "least_loaded", branch: "lowest", figures: {} },
};

/** A run of the summary's workers with requests on both paths and a timeline. */
export function runReport(part: Partial<RunReport> = {}): RunReport {
  const summary = summaryOf();
  const random = randomStream(1, "run-report");
  const exponential = (mean: number) => -mean * Math.log(1 - random.nextFloat());
  const requests = Array.from({ length: 500 }, (_, id): RequestRow => {
    const path = random.nextFloat() < 0.7 ? "disaggregated" : "decode_only";
    const queueMs = exponential(80);
    const prefillMs = 100 + exponential(250);
    const kvTransferMs = path === "disaggregated" ? 10 + exponential(12) : Number.NaN;
    const ttftMs = queueMs + prefillMs + (path === "disaggregated" ? kvTransferMs : 0) + 5;
    const e2eMs = ttftMs + exponential(4000);
    return {
      id,
      arrivalS: id / 4,
      inputTokens: 100 + id,
      outputTokens: 101,
      session: Number.NaN,
      path,
      prefillWorker: path === "disaggregated" ? `prefill-${id % 2}` : "",
      decodeWorker: `decode-${id % 2}`,
      branch: path === "disaggregated" ? "at_or_above_threshold" : "below_threshold",
      queueMs,
      prefillMs,
      kvTransferMs,
      ttftMs,
      tpotMs: (e2eMs - ttftMs) / 100,
      e2eMs,
      itlP99Ms: 40,
      cachedTokens: id % 64,
      preemptions: 0,
      status: "completed",
    };
  });
  const timeline = Array.from({ length: 300 }, (_, i) =>
    summary.workers.map(({ id }, w): WorkerSample => ({
      timeS: i,
      worker: id,
      running: Math.round(20 + 10 * Math.sin(i / 20 + w)),
      waiting: random.nextInt(6),
      kvUsage: 0.5 + 0.3 * Math.sin(i / 30 + w),
    })),
  ).flat();
  const decisions = new Map([[17, DECISION]]);
  return { name: "measured", summary, requests, timeline, decisions, legDecisions: null, ...part };
}
