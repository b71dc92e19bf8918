import { GapRunsBuilder } from "../../src/measure/gap-runs-builder.js";
import { createRequestRecords } from "../../src/measure/record-builder.js";
import type { RequestRecords, RunResult, WorkerRecord } from "../../src/measure/records.js";
import { PATHS, STATUSES } from "../../src/measure/records.js";

/** One request as a test states it; what is left out has not happened. */
export interface RequestCase {
  sentMs?: number;
  inputTokens?: number;
  outputTokens?: number;
  session?: number;
  path?: (typeof PATHS)[number];
  prefillWorker?: number;
  decodeWorker?: number;
  branch?: number;
  queueMs?: number;
  prefillMs?: number;
  kvTransferMs?: number;
  firstTokenMs?: number;
  lastTokenMs?: number;
  cachedTokens?: number;
  decodeCachedTokens?: number;
  status?: (typeof STATUSES)[number];
}

/** Records of the given requests; a completed one has run on decode worker 1 unless it says otherwise. */
export function recordsOf(cases: readonly RequestCase[]): RequestRecords {
  const records = createRequestRecords(cases.length);
  cases.forEach((one, i) => {
    records.sentMs[i] = one.sentMs ?? 0;
    records.inputTokens[i] = one.inputTokens ?? 100;
    records.outputTokens[i] = one.outputTokens ?? 0;
    records.session[i] = one.session ?? -1;
    records.path[i] = PATHS.indexOf(one.path ?? "decode_only");
    records.prefillWorker[i] = one.prefillWorker ?? -1;
    records.decodeWorker[i] = one.decodeWorker ?? 1;
    records.branch[i] = one.branch ?? 0;
    records.queueMs[i] = one.queueMs ?? Number.NaN;
    records.prefillMs[i] = one.prefillMs ?? Number.NaN;
    records.kvTransferMs[i] = one.kvTransferMs ?? Number.NaN;
    records.firstTokenMs[i] = one.firstTokenMs ?? Number.NaN;
    records.lastTokenMs[i] = one.lastTokenMs ?? Number.NaN;
    records.cachedTokens[i] = one.cachedTokens ?? 0;
    records.decodeCachedTokens[i] = one.decodeCachedTokens ?? 0;
    records.status[i] = STATUSES.indexOf(one.status ?? "completed");
  });
  return records;
}

/** A worker that did nothing, but for what is given. */
export function workerOf(part: Partial<WorkerRecord> & Pick<WorkerRecord, "id" | "role">): WorkerRecord {
  return {
    requests: 0,
    busyMs: 0,
    maxRunning: 0,
    maxWaiting: 0,
    kvPeak: 0,
    promptTokens: 0,
    hitTokens: 0,
    preemptions: 0,
    ...part,
  };
}

/** A run of the given requests on one prefill and one decode worker. */
export function runOf(cases: readonly RequestCase[], part: Partial<RunResult> = {}): RunResult {
  return {
    records: recordsOf(cases),
    gaps: new GapRunsBuilder().build(),
    workers: [workerOf({ id: "prefill-0", role: "prefill" }), workerOf({ id: "decode-0", role: "decode" })],
    branches: ["below_threshold", "at_or_above_threshold"],
    timeline: [],
    durationMs: 1000,
    events: 0,
    steps: 0,
    notes: [],
    ...part,
  };
}
