import type { LegDecision, RouteDecision } from "../routing/types.js";

/**
 * One line of `decisions.jsonl`: what was decided for a request, by which branch, on which figures.
 *
 * @param workers ids of the fleet's workers, by index
 */
export function decisionLine(decision: RouteDecision, atMs: number, workers: readonly string[]): string {
  const { requestId, path, decider, branch, figures, prefill, decode } = decision;
  return JSON.stringify({
    at_ms: atMs,
    request: requestId,
    path,
    decider,
    branch,
    figures,
    prefill: legOf(prefill, workers),
    decode: legOf(decode, workers),
  });
}

function legOf(leg: LegDecision | null, workers: readonly string[]): object | null {
  if (leg === null) return null;
  const { worker, policy, branch, figures } = leg;
  return { worker: workers[worker], policy, branch, figures };
}
