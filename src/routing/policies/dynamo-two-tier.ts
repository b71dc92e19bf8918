import { LowestLoad } from "../lowest-load.js";
import { Lowest, TIES } from "../lowest.js";
import { number } from "../parameters.js";
import { DYNAMO_INDEX, dynamoIndex } from "../prefix-index/dynamo-index.js";
import { indexHooks } from "../prefix-index/prefix-index.js";
import { policySpec } from "../specs.js";

/**
 * Load first, cache second:
 *
 * ```
 * highest - lowest > balance_abs_threshold && highest > balance_rel_threshold * lowest -> least loaded
 * share of the prompt held > cache_threshold -> least loaded of those that hold most of it
 * else least loaded
 * ```
 * All comparisons are strict; load = requests open by the ledger.
 */
export const dynamoTwoTier = policySpec({
  name: "dynamo_two_tier",
  summary: "Least loaded while load is unbalanced, else the least loaded holder of the prompt.",
  source: "NVIDIA Dynamo two-tier selector plugin (0c3850ca), ported there from sgl-router",
  parameters: [
    number(
      "cache_threshold",
      0.5,
      { min: 0, max: 1, unit: "ratio" },
      "A worker is chosen for its cache when the share of the prompt it holds is above this (strictly).",
    ),
    number(
      "balance_abs_threshold",
      32,
      { min: 0, unit: "requests" },
      "Load counts as unbalanced when it differs by more than this, and by more than balance_rel_threshold.",
    ),
    number(
      "balance_rel_threshold",
      1.1,
      { min: 1, unit: "ratio" },
      "Load counts as unbalanced when the highest is more than this times the lowest, and balance_abs_threshold is exceeded.",
    ),
    ...DYNAMO_INDEX,
    TIES,
  ],
  usesKvEvents: (params) => params.kv_index === "kv_events",
  create: (params, { fleetSize }) => {
    const index = dynamoIndex(params, fleetSize);
    const held = new Float64Array(fleetSize);
    const least = new LowestLoad(fleetSize, params.ties);
    const lowestHolder = new Lowest(fleetSize, params.ties);
    return {
      name: "dynamo_two_tier",
      pick(candidates, { prefix }, context) {
        const { ledger, nowMs, random, candidateSet } = context;
        index.unitsOfEach(prefix, nowMs, held);
        const { holders, holderCount } = index;
        least.look(candidates, context);
        const { lowest, highest } = least;
        let mostHeld = 0;
        for (let i = 0; i < holderCount; i++) {
          const worker = holders[i]!;
          if (candidateSet.has(worker)) mostHeld = Math.max(mostHeld, held[worker]!);
        }
        const rate = prefix.totalUnits > 0 ? mostHeld / prefix.totalUnits : 0;
        const figures = { match_rate: rate, held_units: mostHeld, min_load: lowest, max_load: highest };
        const decision = (worker: number, branch: string) => ({
          worker,
          policy: "dynamo_two_tier",
          branch,
          figures,
        });
        if (
          highest - lowest > params.balance_abs_threshold &&
          highest > params.balance_rel_threshold * lowest
        ) {
          return decision(least.take(random), "balance");
        }
        if (!(rate > params.cache_threshold)) return decision(least.take(random), "min_load");
        lowestHolder.reset();
        for (let i = 0; i < holderCount; i++) {
          const worker = holders[i]!;
          if (held[worker] === mostHeld && candidateSet.has(worker)) {
            lowestHolder.offer(worker, ledger.open(worker));
          }
        }
        return decision(lowestHolder.takeSorted(random), "cache_hit");
      },
      ...indexHooks(index),
    };
  },
});
