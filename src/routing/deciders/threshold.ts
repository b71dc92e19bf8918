import { integer } from "../parameters.js";
import { deciderSpec } from "../specs.js";

/**
 * Disaggregates prompts of at least `routing_threshold` tokens: `promptTokens >= routing_threshold`. A prompt
 * of exactly the threshold is disaggregated, and a threshold of 0 disaggregates all.
 */
export const threshold = deciderSpec({
  name: "threshold",
  summary: "Disaggregate prompts of at least routing_threshold tokens.",
  source: "production-stack #890 `--routing-threshold`",
  parameters: [
    integer(
      "routing_threshold",
      0,
      { min: 0, unit: "tokens" },
      "Prompts of at least this many tokens are disaggregated, shorter ones go straight to a decode worker; 0 = all are disaggregated.",
    ),
  ],
  create: ({ routing_threshold: routingThreshold }) => ({
    name: "threshold",
    decide: ({ promptTokens }) => {
      const figures = { prompt_tokens: promptTokens, routing_threshold: routingThreshold };
      return promptTokens >= routingThreshold
        ? { disaggregate: true, branch: "at_or_above_threshold", figures }
        : { disaggregate: false, branch: "below_threshold", figures };
    },
  }),
});
