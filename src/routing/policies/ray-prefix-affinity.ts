import { LowestLoad } from "../lowest-load.js";
import { Lowest, TIES } from "../lowest.js";
import { integer, number, optionalNumber } from "../parameters.js";
import { AllHolders } from "../prefix-index/prefix-holders.js";
import { indexHooks } from "../prefix-index/prefix-index.js";
import { policySpec } from "../specs.js";
import { powerOfTwo } from "./power-of-two.js";

/**
 * The replica that holds most of the prompt, or the one that holds least of anything:
 *
 * ```
 * highest - lowest load > imbalanced_threshold -> power of two choices
 * share held < match_rate_threshold            -> the workers with the smallest trees
 * else                                         -> the workers that hold the longest match
 * ```
 * Of several the one with the fewest open requests, where Ray ranks replicas by queue length.
 */
export const rayPrefixAffinity = policySpec({
  name: "ray_prefix_affinity",
  summary: "The holder of the longest match, or the worker with the smallest tree.",
  source: "Ray Serve LLM `PrefixCacheAffinityRouter` (August 2026)",
  parameters: [
    optionalNumber(
      "imbalanced_threshold",
      { min: 0, unit: "requests" },
      "Above this difference of load (strictly) prefixes are left aside; null = never.",
    ),
    number(
      "match_rate_threshold",
      0.1,
      { min: 0, max: 1, unit: "ratio" },
      "Below this share of the prompt (strictly) a match counts as none.",
    ),
    integer(
      "index_capacity",
      2_147_483_647,
      { min: 1, unit: "units" },
      "Units of prefixes remembered for each worker; Ray's eviction is off by default (360,000 characters when on).",
    ),
    TIES,
  ],
  create: (params, setup) => {
    const { fleetSize } = setup;
    const index = new AllHolders(fleetSize, params.index_capacity);
    const byLoad = powerOfTwo.create({ load_signal: "in_flight" }, setup);
    const loads = new LowestLoad(fleetSize, "first");
    /** By size of the tree, then by open requests. */
    const smallest = new LowestLoad(fleetSize, params.ties, {
      changes: ({ ledger }) => [index.sizeChanges, ledger.changes],
      of: (worker) => index.size(worker.index),
      second: (worker, ledger) => ledger.open(worker.index),
    });
    const lowestHolder = new Lowest(fleetSize, params.ties);
    return {
      name: "ray_prefix_affinity",
      pick(candidates, request, context) {
        const { ledger, nowMs, random, candidateSet } = context;
        const { totalUnits } = request.prefix;
        if (params.imbalanced_threshold !== null) {
          loads.look(candidates, context);
          if (loads.highest - loads.lowest > params.imbalanced_threshold) {
            const { worker, figures } = byLoad.pick(candidates, request, context);
            return { worker, policy: "ray_prefix_affinity", branch: "imbalanced", figures };
          }
        }
        const held = index.match(request.prefix, nowMs, candidateSet);
        const rate = totalUnits > 0 ? held / totalUnits : 0;
        const isMatch = rate >= params.match_rate_threshold;
        let worker: number;
        if (isMatch) {
          lowestHolder.reset();
          for (let i = 0; i < index.holderCount; i++) {
            const holder = index.holders[i]!;
            if (candidateSet.has(holder)) lowestHolder.offer(holder, ledger.open(holder));
          }
          worker = lowestHolder.takeSorted(random);
        } else {
          smallest.look(candidates, context);
          worker = smallest.take(random);
        }
        // Both take turns together.
        if (worker >= 0) smallest.last = lowestHolder.last = worker;
        const figures = { match_rate: rate, held_units: held, total_units: totalUnits };
        if (worker >= 0) {
          const branch = isMatch ? "prefix_hit" : "smallest_tree";
          return { worker, policy: "ray_prefix_affinity", branch, figures };
        }
        const { worker: other } = byLoad.pick(candidates, request, context);
        return { worker: other, policy: "ray_prefix_affinity", branch: "no_holder", figures };
      },
      ...indexHooks(index),
    };
  },
});
