import { exponential } from "../distributions.js";
import { Text } from "./generated-trace.js";
import { defineGenerator } from "./generator.js";
import { integer } from "./parameters.js";
import { cvOf, meanTokens, tokens, tokenSampler } from "./token-counts.js";

/** Groups of requests with one prompt that arrive at one instant and generate different answers. */
export const bestOfN = defineGenerator({
  name: "best_of_n",
  summary: "Groups of identical prompts sent at once, each with an answer of its own.",
  source: "as sampling for best-of-n and reinforcement learning (N prompts x S samples)",
  parameters: {
    samples: integer(8, { min: 1, max: 10_000, unit: "requests" }, "Requests of a group."),
    prompt_tokens_mean: meanTokens(1024, "the prompt length"),
    prompt_tokens_cv: cvOf(0.8, "the prompt length"),
    output_tokens_mean: meanTokens(512, "the tokens of an answer"),
    output_tokens_cv: cvOf(0.8, "the tokens of an answer"),
    max_output_tokens: tokens(8192, "Longest answer."),
    max_input_tokens: tokens(32_768, "Longest prompt."),
  },
  open(values, { ratePerS, random }) {
    const gap = exponential(random("arrivals"), (1000 * values.samples) / ratePerS);
    const promptTokens = tokenSampler(random("input"), values.prompt_tokens_mean, values.prompt_tokens_cv);
    const outputTokens = tokenSampler(random("output"), values.output_tokens_mean, values.output_tokens_cv);
    let arrivalMs = 0;
    return {
      nextMs: () => arrivalMs,
      emit(trace) {
        const inputTokens = Math.min(promptTokens(), values.max_input_tokens);
        const prompt = new Text().grow(inputTokens, trace);
        for (let sample = 0; sample < values.samples && !trace.isFull; sample++) {
          const output = Math.min(outputTokens(), values.max_output_tokens);
          trace.add({ arrivalMs, inputTokens, outputTokens: output }, new Text(prompt).grow(output, trace));
        }
        arrivalMs += gap();
      },
    };
  },
});
