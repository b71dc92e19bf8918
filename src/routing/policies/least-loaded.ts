import { LowestLoad, type Load } from "../lowest-load.js";
import { TIES } from "../lowest.js";
import { choice } from "../parameters.js";
import { policySpec } from "../specs.js";
import type { Policy } from "../types.js";
import { inFlight } from "./in-flight.js";
import { roundRobin } from "./round-robin.js";

/** Running plus waiting requests; below 0 where nothing is known. */
const ENGINE_LOAD: Load = {
  changes: ({ statsChanges }) => [statsChanges],
  of: ({ stats }) => (stats === null ? -1 : stats.running + stats.waiting),
};

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
    const least = new LowestLoad(setup.fleetSize, params.ties, ENGINE_LOAD);
    const fallback: Policy =
      params.without_stats === "round_robin"
        ? roundRobin.create({}, setup)
        : inFlight.create({ load_unit: "requests", ties: params.ties }, setup);
    return {
      name: "least_loaded",
      pick(candidates, request, context) {
        least.look(candidates, context);
        if (least.lowest < 0) {
          const { worker, figures } = fallback.pick(candidates, request, context);
          return { worker, policy: "least_loaded", branch: `no_stats_${fallback.name}`, figures };
        }
        return {
          worker: least.take(context.random),
          policy: "least_loaded",
          branch: "min_load",
          figures: { min_load: least.lowest, max_load: least.highest },
        };
      },
    };
  },
});
