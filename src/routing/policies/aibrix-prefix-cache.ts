import { Lowest, TIES } from "../lowest.js";
import { openMeanAndDeviation } from "../mean-and-deviation.js";
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
    const lowest = new Lowest(fleetSize, params.ties);
    const best = new Lowest(fleetSize, params.ties);
    return {
      name: "aibrix_prefix_cache",
      pick(candidates, { prefix }, { ledger, nowMs, random }) {
        index.unitsOfEach(prefix, nowMs, held);
        const { mean, deviation } = openMeanAndDeviation(candidates, ledger);
        const bound = mean + params.stddev_factor * deviation;
        lowest.reset();
        let most = 0;
        for (const worker of candidates) {
          const open = ledger.open(worker.index);
          most = Math.max(most, open);
          lowest.offer(worker.index, open);
        }
        const least = lowest.value;
        const unbalanced = most - least > params.imbalance_abs_threshold;
        best.reset();
        for (const worker of candidates) {
          const open = ledger.open(worker.index);
          if (open > bound || held[worker.index] === 0 || (unbalanced && open > least)) continue;
          // Most units held first, then fewest open requests: open / (most + 1) is below 1.
          best.offer(worker.index, open / (most + 1) - held[worker.index]!);
        }
        const holder = best.take(random);
        const figures = { min_load: least, max_load: most, bound };
        if (holder >= 0) {
          const branch = unbalanced ? "prefix_hit_unbalanced" : "prefix_hit";
          const chosen = { ...figures, held_units: held[holder]! };
          return { worker: holder, policy: "aibrix_prefix_cache", branch, figures: chosen };
        }
        const branch = unbalanced ? "balance" : "min_load";
        return { worker: lowest.take(random), policy: "aibrix_prefix_cache", branch, figures };
      },
      ...indexHooks(index),
    };
  },
});
