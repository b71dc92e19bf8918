import type { CandidateView, LegDecision, RouteDecision } from "../routing/types.js";

/** The healthy workers of both legs as a decision found them. */
export interface Candidates {
  readonly prefill: readonly CandidateView[];
  readonly decode: readonly CandidateView[];
}

/**
 * One line of `decisions.jsonl`: what was decided for a request, by which branch, on which figures, and what the
 * router knew of every worker then.
 *
 * @param workers ids of the fleet's workers, by index
 */
export function decisionLine(
  decision: RouteDecision,
  atMs: number,
  workers: readonly string[],
  candidates: Candidates,
): string {
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
    candidates: {
      prefill: candidates.prefill.map(candidateOf),
      decode: candidates.decode.map(candidateOf),
    },
  });
}

function legOf(leg: LegDecision | null, workers: readonly string[]): object | null {
  if (leg === null) return null;
  const { worker, policy, branch, figures } = leg;
  return { worker: workers[worker], policy, branch, figures };
}

function candidateOf({ id, open, openTokens, prefillTokens, cachedTokens, stats }: CandidateView): object {
  return {
    worker: id,
    open,
    open_tokens: openTokens,
    prefill_tokens: prefillTokens,
    cached_tokens: cachedTokens,
    ...(stats !== null && {
      running: stats.running,
      waiting: stats.waiting,
      kv_usage: stats.kvUsage,
      stats_at_ms: stats.atMs,
    }),
  };
}
