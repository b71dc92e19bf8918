import { choice, integer } from "../parameters.js";
import { deciderSpec } from "../specs.js";

/**
 * Disaggregates prompts with much left to compute on the decode worker:
 *
 * `prompt tokens - tokens held by the chosen decode worker >= disaggregate_at_uncached_tokens`
 *
 * llm-d calls the parameter `nonCachedTokens`; 0 means "never" there (`zero_means: never`) and, by the same
 * rule as any other number, "always" here. Meant for order `decode_first`.
 */
export const uncachedTokens = deciderSpec({
  name: "uncached_tokens",
  summary: "Disaggregate prompts with at least N tokens that the decode worker does not hold.",
  source: "llm-d inference scheduler `prefix-based-pd-decider` (August 2026)",
  parameters: [
    integer(
      "disaggregate_at_uncached_tokens",
      512,
      { min: 0, unit: "tokens" },
      "From this many tokens not held by the decode worker on (inclusive) a prompt is disaggregated.",
    ),
    choice("zero_means", "always", ["always", "never"], "What a value of 0 stands for."),
  ],
  usesPrefixes: true,
  create: ({ disaggregate_at_uncached_tokens: threshold, zero_means: zeroMeans }) => ({
    name: "uncached_tokens",
    decide({ promptTokens }, context) {
      if (threshold === 0 && zeroMeans === "never") {
        return { disaggregate: false, branch: "switched_off", figures: { threshold } };
      }
      const cached = context.cachedTokens(context.worker(context.decodeLeg().worker));
      const uncached = promptTokens - cached;
      const figures = { uncached_tokens: uncached, cached_tokens: cached, threshold };
      return uncached >= threshold
        ? { disaggregate: true, branch: "at_or_above_threshold", figures }
        : { disaggregate: false, branch: "below_threshold", figures };
    },
  }),
});
