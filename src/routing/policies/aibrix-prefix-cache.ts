import { LowestLoad } from "../lowest-load.js";
import { Lowest, TIES } from "../lowest.js";
import { meanAndDeviation } from "../mean-and-deviation.js";
import { number } from "../parameters.js";
import { INDEX_CAPACITY } from "../prefix-index/index-capacity.js";
import { AllHolders } from "../prefix-index/prefix-holders.js";
import { indexHooks } from "../prefix-index/prefix-index.js";
import { policySpec } from "../specs.js";

/** AIBrix's index lasts 20 minutes and holds 200,000 blocks of about a token. */
export const AIBRIX_INDEX = [
  { ...INDEX_CAPACITY, default: 200_000 },
  number(
    "index_ttl_s",
    1200,
    { min: 0, exclusiveMin: true, unit: "s" },
    "How long a routed prefix counts as held.",
  ),
  number(
    "stddev_factor",
    1,
    { min: 0 },
    "A worker counts as overloaded above mean + this many standard deviations of open requests.",
  ),
] as const;

/**
 * The worker that holds most of the prompt and is not overloaded:
 *
 * ```
 * highest - lowest > imbalance_abs_threshold -> only the workers with the fewest open requests are left
 * by share held, then by fewest open requests: the first with open <= mean + stddev_factor * deviation
 * none -> the fewest open requests
 * ```
 * Mean and deviation are those of all candidates.
 */
export const aibrixPrefixCache = policySpec({
  name: "aibrix_prefix_cache",
  summary: "The worker that holds most of the prompt among those not overloaded.",
  source: "AIBrix gateway `prefix-cache` (code defaults, August 2026)",
  parameters: [
    number(
      "imbalance_abs_threshold",
      8,
      { min: 0, unit: "requests" },
      "Above this difference of open requests (strictly) only the least loaded workers are considered.",
    ),
    ...AIBRIX_INDEX,
    TIES,
  ],
  create: (params, { fleetSize }) => {
    const index = new AllHolders(fleetSize, params.index_capacity, params.index_ttl_s * 1000);
    const held = new Float64Array(fleetSize);
    const least = new LowestLoad(fleetSize, params.ties);
    const best = new Lowest(fleetSize, params.ties);
    return {
      name: "aibrix_prefix_cache",
      pick(candidates, { prefix }, context) {
        const { ledger, nowMs, random, candidateSet } = context;
        index.unitsOfEach(prefix, nowMs, held);
        least.look(candidates, context);
        const { lowest, highest } = least;
        const { mean, deviation } = meanAndDeviation(candidates.length, least);
        const bound = mean + params.stddev_factor * deviation;
        const unbalanced = highest - lowest > params.imbalance_abs_threshold;
        best.reset();
        for (let i = 0; i < index.holderCount; i++) {
          const worker = index.holders[i]!;
          const open = ledger.open(worker);
          if (!candidateSet.has(worker) || open > bound || (unbalanced && open > lowest)) continue;
          // Most units held first, then fewest open requests: open / (most + 1) is below 1.
          best.offer(worker, open / (highest + 1) - held[worker]!);
        }
        const holder = best.takeSorted(random);
        const figures = { min_load: lowest, max_load: highest, bound };
        if (holder >= 0) {
          const branch = unbalanced ? "prefix_hit_unbalanced" : "prefix_hit";
          const chosen = { ...figures, held_units: held[holder]! };
          return { worker: holder, policy: "aibrix_prefix_cache", branch, figures: chosen };
        }
        const branch = unbalanced ? "balance" : "min_load";
        return { worker: least.take(random), policy: "aibrix_prefix_cache", branch, figures };
      },
      ...indexHooks(index),
    };
  },
});
