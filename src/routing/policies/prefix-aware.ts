import { integer } from "../parameters.js";
import { AllHolders } from "../prefix-index/prefix-holders.js";
import { indexHooks } from "../prefix-index/prefix-index.js";
import { policySpec } from "../specs.js";
import type { Worker } from "../types.js";
import { qps } from "./qps.js";

/**
 * Any of the workers that saw the longest beginning of the prompt, whatever their load; all of them while
 * nobody saw any. A match shorter than `prefix_min_match_length` leaves the choice to the request rates.
 * Nothing is ever forgotten.
 */
export const prefixAware = policySpec({
  name: "prefix_aware",
  summary: "A random one of the workers that saw the longest beginning of the prompt.",
  source: "production-stack `prefixaware`",
  parameters: [
    integer(
      "prefix_min_match_length",
      0,
      { min: 0, unit: "units" },
      "A match shorter than this is none (production-stack counts in chunks of 128 characters); 0 = never.",
    ),
  ],
  create: ({ prefix_min_match_length: minMatch }, setup) => {
    const index = new AllHolders(setup.fleetSize, Infinity);
    const byRate = qps.create({ request_stats_window_s: 60, ties: "first" }, setup);
    const holders: Worker[] = [];
    return {
      name: "prefix_aware",
      pick(candidates, request, context) {
        const held = index.match(request.prefix, context.nowMs, candidates);
        const figures = { held_units: held, total_units: request.prefix.totalUnits };
        if (held < minMatch) {
          const { worker } = byRate.pick(candidates, request, context);
          return { worker, policy: "prefix_aware", branch: "short_match_qps", figures };
        }
        holders.length = 0;
        for (const worker of candidates) if (index.isHolder(worker.index)) holders.push(worker);
        const from = holders.length > 0 ? holders : candidates;
        const worker = from[context.random.nextInt(from.length)]!.index;
        return {
          worker,
          policy: "prefix_aware",
          branch: from === holders ? "prefix_hit" : "no_match",
          figures,
        };
      },
      onRouted: (decision, request, nowMs, prefillsHere) =>
        byRate.onRouted!(decision, request, nowMs, prefillsHere),
      ...indexHooks(index),
    };
  },
});
