import { integer, optionalNumber } from "../parameters.js";
import { deciderSpec } from "../specs.js";

/**
 * Disaggregates prompts whose length lies in `[disaggregate_min_tokens, disaggregate_max_tokens]`, both
 * inclusive; others are prefilled where they are decoded, as on AIBrix's combined pods.
 */
export const lengthBucket = deciderSpec({
  name: "length_bucket",
  summary: "Disaggregate prompts whose length lies in a range.",
  source: "AIBrix gateway `pd` router, prompt length bucketing (August 2026), without its drain scores",
  parameters: [
    integer("disaggregate_min_tokens", 0, { min: 0, unit: "tokens" }, "Shortest prompt to disaggregate."),
    optionalNumber(
      "disaggregate_max_tokens",
      { min: 0, unit: "tokens" },
      "Longest prompt to disaggregate; null = no limit.",
    ),
  ],
  create: ({ disaggregate_min_tokens: min, disaggregate_max_tokens: max }) => ({
    name: "length_bucket",
    decide({ promptTokens }) {
      const figures = { prompt_tokens: promptTokens, min, ...(max !== null && { max }) };
      if (promptTokens < min) return { disaggregate: false, branch: "below_range", figures };
      if (max !== null && promptTokens > max) return { disaggregate: false, branch: "above_range", figures };
      return { disaggregate: true, branch: "in_range", figures };
    },
  }),
});
