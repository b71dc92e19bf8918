import type { Random } from "../values/random.js";
import { Lowest, type Ties } from "./lowest.js";
import type { LegDecision, Policy, PolicyContext, RoutingRequest, Worker } from "./types.js";

type CostFunction = NonNullable<Policy["costs"]>;

/**
 * The two methods of a policy that takes the candidate of lowest cost.
 *
 * @param costs Writes the costs and returns the branch; see `Policy.costs`.
 */
export function lowestCost(
  policy: string,
  fleetSize: number,
  ties: Ties,
  costs: CostFunction,
): Pick<Policy, "name" | "pick"> & { readonly costs: CostFunction } {
  const lowest = new Lowest(fleetSize, ties);
  const out = new Float64Array(fleetSize);
  return {
    name: policy,
    pick(candidates: readonly Worker[], request: RoutingRequest, context: PolicyContext): LegDecision {
      const branch = costs(candidates, request, context, out);
      const worker = lowestOf(lowest, candidates, out, context.random);
      return { worker, policy, branch, figures: { cost: out[worker]! } };
    },
    costs,
  };
}

/** The candidate of lowest cost. */
function lowestOf(
  lowest: Lowest,
  candidates: readonly Worker[],
  costs: Float64Array,
  random: Random,
): number {
  lowest.reset();
  for (const { index } of candidates) lowest.offer(index, costs[index]!);
  return lowest.take(random);
}
