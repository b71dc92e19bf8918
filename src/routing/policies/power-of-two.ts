import { choice } from "../parameters.js";
import { policySpec } from "../specs.js";
import type { LedgerView, Worker } from "../types.js";

/**
 * Two different healthy workers at random, the less loaded of them; on equal load the first drawn.
 *
 * With `engine_stats` the load is what the engines last said, and 0 for one that has said nothing, so that
 * against engines without statistics the choice is random (vllm-router 0.1.14 against vLLM, issue #174).
 */
export const powerOfTwo = policySpec({
  name: "power_of_two",
  summary: "The less loaded of two workers drawn at random.",
  source: "vllm-router 0.1.14 `power_of_two`; Mitzenmacher, The Power of Two Choices (2001)",
  parameters: [
    choice(
      "load_signal",
      "in_flight",
      ["in_flight", "engine_stats"],
      "Whose load: the router's own ledger, or running plus waiting of the engines' statistics.",
    ),
  ],
  usesStats: (params) => params.load_signal === "engine_stats",
  create: (params) => {
    const ofEngine = params.load_signal === "engine_stats";
    const loadOf = ({ index, stats }: Worker, ledger: LedgerView): number => {
      if (!ofEngine) return ledger.open(index);
      return stats === null ? 0 : stats.running + stats.waiting;
    };
    return {
      name: "power_of_two",
      pick(candidates, _request, { ledger, random }) {
        const only = candidates.length === 1;
        const first = only ? 0 : random.nextInt(candidates.length);
        const skip = only ? 0 : random.nextInt(candidates.length - 1);
        const second = !only && skip >= first ? skip + 1 : skip;
        const firstLoad = loadOf(candidates[first]!, ledger);
        const secondLoad = loadOf(candidates[second]!, ledger);
        const chosen = firstLoad <= secondLoad ? first : second;
        return {
          worker: candidates[chosen]!.index,
          policy: "power_of_two",
          branch: only ? "only_candidate" : "lower_of_two",
          figures: {
            first: candidates[first]!.index,
            first_load: firstLoad,
            second: candidates[second]!.index,
            second_load: secondLoad,
          },
        };
      },
    };
  },
});
