import type { ProxyWorker, RequestFacts } from "./core.js";
import { EXPLAIN_HEADER, headerOf, type FlatHeaders } from "./headers.js";

/** Response headers that say how a request was routed, for a client that asked with `x-pdbench-explain`. */
export function explanationHeaders(
  rawHeaders: readonly string[],
  { decision, decisionMs }: RequestFacts,
  workers: readonly ProxyWorker[],
): FlatHeaders {
  if (headerOf(rawHeaders, EXPLAIN_HEADER) === undefined) return [];
  const { path, branch, prefill, decode } = decision;
  const headers = ["x-pdbench-path", path, "x-pdbench-branch", branch];
  if (prefill !== null) headers.push("x-pdbench-prefill-worker", workers[prefill.worker]!.id);
  if (decode !== null) headers.push("x-pdbench-decode-worker", workers[decode.worker]!.id);
  headers.push("x-pdbench-decision-us", (decisionMs * 1000).toFixed(1));
  return headers;
}
