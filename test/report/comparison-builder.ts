import { GapRunsBuilder } from "../../src/measure/gap-runs-builder.js";
import { STATUSES } from "../../src/measure/records.js";
import { requestMetrics } from "../../src/measure/request-metrics.js";
import { summarize } from "../../src/measure/summarize.js";
import type { Summary } from "../../src/measure/summary.js";
import type { ComparedRun } from "../../src/report/comparison/compared-runs.js";
import type { WorkerSample } from "../../src/report/run-files-reader.js";
import { randomStream } from "../../src/values/random.js";
import { runOf, workerOf, type RequestCase } from "../measure/run-builder.js";

/** What a test wants of a run; the rest follows. */
export interface RunParts {
  readonly seed?: number;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly requests?: number;
  /** Added to the time to first token of request `i`, ms. */
  readonly later?: (i: number) => number;
  readonly inputTokens?: (i: number) => number;
  readonly summary?: Partial<Summary>;
  readonly withoutRequests?: true;
  readonly withoutTimeline?: true;
  /** Added to every gap between tokens, ms. */
  readonly msPerToken?: number;
  readonly outputTokens?: number;
  /** Share of time in which each worker has requests running. */
  readonly busy?: readonly [number, number];
  /** Of each worker. */
  readonly samples?: number;
}

/** A run whose requests wait for a queue that is common to all runs of one seed, and that comes and goes. */
export function comparedRun(name: string, parts: RunParts = {}): ComparedRun {
  const { seed = 1, requests: count = 1200, later = () => 0, inputTokens = (i) => 500 + (i % 700) } = parts;
  const { outputTokens = 51, msPerToken = 0, busy = [0.8, 0.8] } = parts;
  const random = randomStream(seed, "compared-run");
  let queueMs = 50;
  const cases = Array.from({ length: count }, (_, i): RequestCase => {
    queueMs = Math.max(0, 0.95 * queueMs + 20 * (random.nextFloat() - 0.4));
    const sentMs = i * 100;
    const firstTokenMs = sentMs + 100 + queueMs + later(i);
    const lastTokenMs = firstTokenMs + 1000 + 200 * random.nextFloat() + msPerToken * (outputTokens - 1);
    const fixed = { inputTokens: inputTokens(i), outputTokens, cachedTokens: i % 100 };
    return { ...fixed, sentMs, queueMs: queueMs + later(i), firstTokenMs, lastTokenMs };
  });
  const workers = [0, 1].map((i) =>
    workerOf({
      id: `decode-${i}`,
      role: "decode",
      requests: (count * (i + 1)) / 3,
      busyMs: busy[i]! * count * 100,
    }),
  );
  const gaps = new GapRunsBuilder();
  for (const { firstTokenMs, lastTokenMs } of cases) {
    gaps.add((lastTokenMs! - firstTokenMs!) / (outputTokens - 1), 0, outputTokens - 1, 1);
  }
  const run = runOf(cases, { durationMs: count * 100, workers, gaps: gaps.build() });
  const slo = { ttft_ms: 200, tpot_ms: null, e2e_ms: null };
  const settings = { name: "s", seed, router: { policy: "a" }, ...parts.settings };
  const provenance = { versions: { pdbench: "0.1.0" }, workload_hash: "9f2c".repeat(16) };
  const summary = { ...summarize(run, { scenario: "s", settings, slo, provenance }), ...parts.summary };
  const { ttftMs, tpotMs, e2eMs } = requestMetrics(run.records);
  const { records } = run;
  const rows = cases.map((one, id) => ({
    id,
    arrivalS: one.sentMs! / 1000,
    inputTokens: one.inputTokens!,
    outputTokens: one.outputTokens!,
    session: Number.NaN,
    path: "decode_only",
    prefillWorker: "",
    decodeWorker: "decode-0",
    branch: "below_threshold",
    queueMs: one.queueMs!,
    prefillMs: 100,
    kvTransferMs: Number.NaN,
    ttftMs: ttftMs[id]!,
    tpotMs: tpotMs[id]!,
    e2eMs: e2eMs[id]!,
    itlP99Ms: Number.NaN,
    cachedTokens: one.cachedTokens!,
    preemptions: 0,
    status: STATUSES[records.status[id]!]!,
  }));
  return {
    name,
    summary,
    seed,
    isLive: parts.settings?.["replay"] !== undefined,
    requests: parts.withoutRequests === true ? null : rows,
    timeline: parts.withoutTimeline === true ? null : timelineOf(parts),
  };
}

/** Samples of two workers that have requests running now and then, at the same times in all runs of one seed. */
function timelineOf({ seed = 1, busy = [0.8, 0.8], samples = 400 }: RunParts): readonly WorkerSample[] {
  const random = randomStream(seed, "compared-timeline");
  return Array.from({ length: samples }, (_, timeS) =>
    busy.map((share, i): WorkerSample => ({
      timeS,
      worker: `decode-${i}`,
      running: random.nextFloat() < share ? 1 : 0,
      waiting: 0,
      kvUsage: 0.5,
    })),
  ).flat();
}
