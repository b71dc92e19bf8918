import type { Slo, Summary } from "./summary.js";

/** Targets that stand in for objectives that were not asked for, ms. */
export const DEFAULT_TARGETS = { ttftMs: 2000, itlMs: 50 } as const;

/** Share of each term in the score; a term without a value gives its share to the others. */
export const SCORE_WEIGHTS = { ttft: 0.4, itl: 0.4, cache_hit: 0.2 } as const;

/** The formula in words, for `--help` and reports. */
export const SCORE_HELP = [
  "score: 0..100, higher is better. 100 x completed x (0.4 ttft + 0.4 itl + 0.2 cache_hit)",
  "  ttft      = target / (target + p90 of TTFT); target = slo.ttft_ms, else 2000 ms",
  "  itl       = target / (target + p90 of ITL);  target = slo.tpot_ms, else 50 ms",
  "  cache_hit = prompt tokens found in a prefix cache / prompt tokens",
  "  completed = completed requests / all requests",
  "A latency term is 0.5 at its target. A term without a value (no hit rate known, no gap between tokens)",
  "is left out and its weight shared among the rest.",
].join("\n");

/**
 * One figure for ranking runs of the same workload, on TTFT, ITL and cache-hit rate (SCORE_HELP has the
 * formula). Smooth and strictly monotone in each term, so that two runs which both meet (or both miss) every
 * objective still compare. The p90 stands for what most users feel; goodput judges the tail.
 */
export function scoreOf(
  parts: Pick<Summary, "ttft_ms" | "itl_ms" | "cache" | "requests">,
  slo: Slo,
): Summary["score"] {
  const completed = parts.requests.total === 0 ? 0 : parts.requests.completed / parts.requests.total;
  const candidates = {
    ttft: latencyTerm(parts.ttft_ms.p90, slo.ttft_ms ?? DEFAULT_TARGETS.ttftMs),
    itl: latencyTerm(parts.itl_ms.p90, slo.tpot_ms ?? DEFAULT_TARGETS.itlMs),
    cache_hit: parts.cache.hit_rate,
  };
  const terms: Record<string, number> = {};
  let weighted = 0;
  let weights = 0;
  for (const name of ["ttft", "itl", "cache_hit"] as const) {
    const term = candidates[name];
    if (term === null) continue;
    terms[name] = term;
    weighted += SCORE_WEIGHTS[name] * term;
    weights += SCORE_WEIGHTS[name];
  }
  terms["completed"] = completed;
  return { value: weights === 0 ? 0 : (100 * completed * weighted) / weights, terms };
}

function latencyTerm(p90Ms: number | null, targetMs: number): number | null {
  return p90Ms === null ? null : targetMs / (targetMs + p90Ms);
}
