import { exponential } from "../distributions.js";
import { Text } from "./generated-trace.js";
import { defineGenerator } from "./generator.js";
import { integer, number } from "./parameters.js";
import { SharedTexts, zipf } from "./shared-texts.js";
import { cvOf, meanTokens, tokens, tokenSampler } from "./token-counts.js";

/** Single requests that begin with one of a number of system prompts, some more popular than others. */
export const sharedSystemPrompt = defineGenerator({
  name: "shared_system_prompt",
  summary: "Single requests: one of a set of system prompts and a question of its own.",
  source: "as SGLang's generated-shared-prefix data set, with Zipf popularity",
  parameters: {
    system_prompts: integer(20, { min: 1, max: 1_000_000 }, "Number of different system prompts."),
    skew: number(1, { min: 0, max: 10 }, "Zipf exponent of their popularity; 0 = all alike."),
    system_prompt_tokens_mean: meanTokens(2048, "the length of a system prompt"),
    system_prompt_tokens_cv: cvOf(0.5, "the length of a system prompt"),
    question_tokens_mean: meanTokens(128, "the length of a question"),
    question_tokens_cv: cvOf(1, "the length of a question"),
    output_tokens_mean: meanTokens(250, "the tokens of an answer"),
    output_tokens_cv: cvOf(0.8, "the tokens of an answer"),
    max_output_tokens: tokens(4096, "Longest answer."),
    max_input_tokens: tokens(32_768, "Longest prompt; system prompts and questions are cut to it.", 2),
  },
  open(values, { ratePerS, random }) {
    const gap = exponential(random("arrivals"), 1000 / ratePerS);
    const pick = zipf(random("choice"), values.system_prompts, values.skew);
    const { max_input_tokens: maxInput, max_output_tokens: maxOutput } = values;
    const promptTokens = tokenSampler(
      random("prefix"),
      values.system_prompt_tokens_mean,
      values.system_prompt_tokens_cv,
    );
    const questionTokens = tokenSampler(
      random("input"),
      values.question_tokens_mean,
      values.question_tokens_cv,
    );
    const outputTokens = tokenSampler(random("output"), values.output_tokens_mean, values.output_tokens_cv);
    const prompts = new SharedTexts(values.system_prompts, () => Math.min(promptTokens(), maxInput - 1));
    let arrivalMs = 0;
    return {
      nextMs: () => arrivalMs,
      emit(trace) {
        const text = new Text(prompts.pick(pick(), trace));
        const inputTokens = Math.min(maxInput, text.tokens + questionTokens());
        const output = Math.min(outputTokens(), maxOutput);
        text.grow(inputTokens - text.tokens + output, trace);
        trace.add({ arrivalMs, inputTokens, outputTokens: output }, text);
        arrivalMs += gap();
      },
    };
  },
});
