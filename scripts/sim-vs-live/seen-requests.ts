import type { RequestRecords, RunResult } from "../../src/measure/records.js";

/** What a client sees of a request, and how it was routed; times in ms, to the nanosecond. */
export interface SeenRequest {
  readonly sentMs: number;
  readonly firstTokenMs: number;
  readonly lastTokenMs: number;
  readonly outputTokens: number;
  readonly cachedTokens: number;
  readonly branch: string;
  /** Places in the fleet; -1 = none. */
  readonly prefill: number;
  readonly decode: number;
}

/**
 * The requests of a run in such a form that those of two runs can be compared.
 *
 * @param placeOf Place in the fleet of a worker of the run.
 */
export function seenRequests(
  { records, branches }: RunResult,
  placeOf: (worker: number) => number,
): SeenRequest[] {
  const place = (worker: number) => (worker < 0 ? -1 : placeOf(worker));
  return Array.from({ length: records.count }, (_, row) => ({
    ...timesOf(records, row),
    outputTokens: records.outputTokens[row]!,
    cachedTokens: records.cachedTokens[row]!,
    branch: branches[records.branch[row]!]!,
    prefill: place(records.prefillWorker[row]!),
    decode: place(records.decodeWorker[row]!),
  }));
}

/** To the nanosecond: a sum of steps and a clock may differ in the last bit. */
function timesOf({ sentMs, firstTokenMs, lastTokenMs }: RequestRecords, row: number) {
  const rounded = (ms: number) => Math.round(ms * 1e6) / 1e6;
  return {
    sentMs: rounded(sentMs[row]!),
    firstTokenMs: rounded(firstTokenMs[row]!),
    lastTokenMs: rounded(lastTokenMs[row]!),
  };
}
