import { LowestLoad, OPEN_REQUESTS, type Load } from "../lowest-load.js";
import { TIES } from "../lowest.js";
import { choice } from "../parameters.js";
import { policySpec } from "../specs.js";

const OPEN_TOKENS: Load = {
  changes: ({ ledger }) => [ledger.changes],
  of: ({ index }, ledger) => ledger.openTokens(index),
};

/** The worker with the least work open by the router's own ledger, which is never stale. */
export const inFlight = policySpec({
  name: "in_flight",
  summary: "The worker with the fewest open requests (or prompt tokens) by the router's own ledger.",
  source: "SMG (SGLang Model Gateway) in-flight guard; AIBrix `least-request`",
  parameters: [
    choice("load_unit", "requests", ["requests", "prompt_tokens"], "What is counted of the open requests."),
    TIES,
  ],
  create: (params, { fleetSize }) => {
    const load = params.load_unit === "prompt_tokens" ? OPEN_TOKENS : OPEN_REQUESTS;
    const least = new LowestLoad(fleetSize, params.ties, load);
    return {
      name: "in_flight",
      pick(candidates, _request, context) {
        least.look(candidates, context);
        return {
          worker: least.take(context.random),
          policy: "in_flight",
          branch: "min_load",
          figures: { min_load: least.lowest, max_load: least.highest },
        };
      },
    };
  },
});
