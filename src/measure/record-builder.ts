import type { RequestRecords } from "./records.js";

/**
 * Columns for `count` requests in which nothing has happened yet: times NaN, workers and session -1, tokens,
 * hits and preemptions 0, path, branch and status 0. The columns are written in place by whoever measures.
 */
export function createRequestRecords(count: number): RequestRecords {
  const times = () => new Float64Array(count).fill(Number.NaN);
  return {
    count,
    sentMs: times(),
    inputTokens: new Int32Array(count),
    outputTokens: new Int32Array(count),
    session: new Int32Array(count).fill(-1),
    path: new Uint8Array(count),
    prefillWorker: new Int16Array(count).fill(-1),
    decodeWorker: new Int16Array(count).fill(-1),
    branch: new Uint16Array(count),
    queueMs: times(),
    prefillMs: times(),
    kvTransferMs: times(),
    firstTokenMs: times(),
    lastTokenMs: times(),
    itlP99Ms: times(),
    cachedTokens: new Int32Array(count),
    decodeCachedTokens: new Int32Array(count),
    preemptions: new Uint16Array(count),
    status: new Uint8Array(count),
  };
}
