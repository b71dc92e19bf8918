import { Lowest, TIES } from "../lowest.js";
import { choice } from "../parameters.js";
import { policySpec } from "../specs.js";
import type { Policy } from "../types.js";
import { inFlight } from "./in-flight.js";
import { roundRobin } from "./round-robin.js";

/**
 * The worker with the lowest `running + waiting` of the engines' own statistics, as old as they are. While
 * any candidate has none, the whole decision is left to `without_stats`. production-stack takes the first of
 * equals (`ties: first`).
 */
export const leastLoaded = policySpec({
  name: "least_loaded",
  summary: "The worker with the fewest running plus waiting requests by its engine's statistics.",
  source: "production-stack #890 `least_loaded`",
  parameters: [
    choice(
      "without_stats",
      "round_robin",
      ["round_robin", "in_flight"],
      "Who decides while a candidate has no statistics: taking turns, or the router's own ledger.",
    ),
    TIES,
  ],
  usesStats: () => true,
  create: (params, setup) => {
    const lowest = new Lowest(setup.fleetSize, params.ties);
    const fallback: Policy =
      params.without_stats === "round_robin"
        ? roundRobin.create({}, setup)
        : inFlight.create({ load_unit: "requests", ties: params.ties }, setup);
    return {
      name: "least_loaded",
      pick(candidates, request, context) {
        lowest.reset();
        let most = 0;
        for (const { index, stats } of candidates) {
          if (stats === null) {
            const { worker, figures } = fallback.pick(candidates, request, context);
            return { worker, policy: "least_loaded", branch: `no_stats_${fallback.name}`, figures };
          }
          const load = stats.running + stats.waiting;
          if (load > most) most = load;
          lowest.offer(index, load);
        }
        return {
          worker: lowest.take(context.random),
          policy: "least_loaded",
          branch: "min_load",
          figures: { min_load: lowest.value, max_load: most },
        };
      },
    };
  },
});
