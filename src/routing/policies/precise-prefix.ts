import { lowestCost } from "../cost-choice.js";
import { TIES } from "../lowest.js";
import { number } from "../parameters.js";
import { KvEventIndex } from "../prefix-index/kv-event-index.js";
import { indexHooks } from "../prefix-index/prefix-index.js";
import { policySpec } from "../specs.js";

/**
 * The worker that holds most of the prompt by the engines' KV events, less what its load is worth:
 *
 * `score = held units / prompt units - load_weight * open requests / most open requests of a candidate`
 *
 * Without load weight (vllm-router #130) load only settles ties: the least loaded of those that hold most.
 */
export const precisePrefix = policySpec({
  name: "precise_prefix",
  summary: "The worker that holds most of the prompt by the engines' KV events.",
  source:
    "vllm-router #130 `precise_cache_aware`; SMG event-driven cache_aware; production-stack #1035 `loadaware`",
  parameters: [
    number("load_weight", 0, { min: 0 }, "What the highest load costs, in shares of the prompt held."),
    number(
      "speculative_s",
      2,
      { min: 0, unit: "s" },
      "How long a routed prompt counts as held without an event.",
    ),
    TIES,
  ],
  usesKvEvents: () => true,
  givesCosts: true,
  create: ({ load_weight: loadWeight, speculative_s: speculativeS, ties }, { fleetSize }) => {
    const index = new KvEventIndex(fleetSize, speculativeS * 1000);
    const held = new Float64Array(fleetSize);
    return {
      ...lowestCost("precise_prefix", fleetSize, ties, (candidates, { prefix }, context, out) => {
        const { ledger, nowMs } = context;
        index.unitsOfEach(prefix, nowMs, held);
        let mostOpen = 1;
        let mostHeld = 0;
        for (const worker of candidates) {
          mostOpen = Math.max(mostOpen, ledger.open(worker.index));
          mostHeld = Math.max(mostHeld, held[worker.index]!);
        }
        const settlesTies = 1e-9;
        for (const worker of candidates) {
          const share = prefix.totalUnits > 0 ? held[worker.index]! / prefix.totalUnits : 0;
          const load = ledger.open(worker.index) / mostOpen;
          out[worker.index] = 1 - share + Math.max(loadWeight, settlesTies) * load;
        }
        return mostHeld > 0 ? "prefix_hit" : "min_load";
      }),
      ...indexHooks(index),
    };
  },
});
