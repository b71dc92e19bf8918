import { Lowest, TIES } from "../lowest.js";
import { choice } from "../parameters.js";
import { policySpec } from "../specs.js";

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
    const lowest = new Lowest(fleetSize, params.ties);
    const byTokens = params.load_unit === "prompt_tokens";
    return {
      name: "in_flight",
      pick(candidates, _request, { ledger, random }) {
        lowest.reset();
        let most = 0;
        for (const { index } of candidates) {
          const load = byTokens ? ledger.openTokens(index) : ledger.open(index);
          if (load > most) most = load;
          lowest.offer(index, load);
        }
        return {
          worker: lowest.take(random),
          policy: "in_flight",
          branch: "min_load",
          figures: { min_load: lowest.value, max_load: most },
        };
      },
    };
  },
});
