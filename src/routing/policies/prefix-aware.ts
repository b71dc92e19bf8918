import type { CandidateSet } from "../candidate-set.js";
import { integer } from "../parameters.js";
import { AllHolders } from "../prefix-index/prefix-holders.js";
import { indexHooks } from "../prefix-index/prefix-index.js";
import { policySpec } from "../specs.js";
import { qps } from "./qps.js";

/**
 * Any of the workers that saw the longest beginning of the prompt, whatever their load; all of them while
 * nobody saw any. A match shorter than `prefix_min_match_length` leaves the choice to the request rates.
 * Nothing is ever forgotten.
 */
export const prefixAware = policySpec({
  name: "prefix_aware",
  summary: "A random one of the workers that saw the longest beginning of the prompt.",
  source: "production-stack `prefixaware`",
  parameters: [
    integer(
      "prefix_min_match_length",
      0,
      { min: 0, unit: "units" },
      "A match shorter than this is none (production-stack counts in chunks of 128 characters); 0 = never.",
    ),
  ],
  create: ({ prefix_min_match_length: minMatch }, setup) => {
    const index = new AllHolders(setup.fleetSize, Infinity);
    const byRate = qps.create({ request_stats_window_s: 60, ties: "first" }, setup);
    return {
      name: "prefix_aware",
      pick(candidates, request, context) {
        const held = index.match(request.prefix, context.nowMs, context.candidateSet);
        const figures = { held_units: held, total_units: request.prefix.totalUnits };
        if (held < minMatch) {
          const { worker } = byRate.pick(candidates, request, context);
          return { worker, policy: "prefix_aware", branch: "short_match_qps", figures };
        }
        const holders = candidatesAmong(index, context.candidateSet);
        const count = holders.length > 0 ? holders.length : candidates.length;
        const chosen = context.random.nextInt(count);
        return {
          worker: holders.length > 0 ? holders[chosen]! : candidates[chosen]!.index,
          policy: "prefix_aware",
          branch: holders.length > 0 ? "prefix_hit" : "no_match",
          figures,
        };
      },
      onRouted: (decision, request, nowMs, prefillsHere) =>
        byRate.onRouted!(decision, request, nowMs, prefillsHere),
      ...indexHooks(index),
    };
  },
});

/** The holders that are candidates, in fleet order. */
function candidatesAmong({ holders, holderCount }: AllHolders, candidates: CandidateSet): Int32Array {
  return holders
    .subarray(0, holderCount)
    .filter((worker) => candidates.has(worker))
    .sort();
}
