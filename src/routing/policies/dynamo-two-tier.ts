import { TIES } from "../lowest.js";
import { number } from "../parameters.js";
import { policySpec } from "../specs.js";
import { cacheAware } from "./cache-aware.js";

/**
 * Load first, cache second:
 *
 * ```
 * highest - lowest > balance_abs_threshold && highest > balance_rel_threshold * lowest -> least loaded
 * share of the prompt held > cache_threshold -> least loaded of those that hold most of it
 * else least loaded
 * ```
 * The same rules as `cache_aware` with a fleet-wide gate and the least loaded holder, with Dynamo's defaults.
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
    TIES,
  ],
  create: (params, setup) => {
    const defaults = Object.fromEntries(cacheAware.parameters.map((spec) => [spec.name, spec.default]));
    const policy = cacheAware.create({ ...defaults, balance_gate: "fleet", ...params }, setup);
    return {
      name: "dynamo_two_tier",
      pick: (candidates, request, context) => ({
        ...policy.pick(candidates, request, context),
        policy: "dynamo_two_tier",
      }),
      onPrefixHeld: (decision, request, nowMs) => policy.onPrefixHeld!(decision, request, nowMs),
      onWorkerRemoved: (worker) => policy.onWorkerRemoved!(worker),
      heldUnits: (request, worker) => policy.heldUnits!(request, worker),
    };
  },
});
