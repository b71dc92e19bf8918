import { InputError } from "../../errors.js";
import type { Random } from "../../values/random.js";
import { exponential, type Sampler } from "../distributions.js";
import { defineGenerator } from "./generator.js";
import { choice } from "./parameters.js";
import { cvOf, meanTokens, tokens, tokenSampler } from "./token-counts.js";

const DISTRIBUTIONS = ["lognormal", "uniform", "fixed"] as const;

/** Unrelated requests: nothing but lengths and arrivals. */
export const lengths = defineGenerator({
  name: "lengths",
  summary: "Unrelated requests with given prompt and output lengths; no shared prefixes.",
  source: "as the random data set of vLLM's serving benchmark",
  parameters: {
    input_distribution: choice(
      "lognormal",
      DISTRIBUTIONS,
      "Prompt length: fixed = mean; uniform = min to max.",
    ),
    input_tokens_mean: meanTokens(1024, "the prompt length (fixed and lognormal)"),
    input_tokens_cv: cvOf(1, "the prompt length"),
    input_tokens_min: tokens(1, "Shortest prompt (uniform and lognormal)."),
    input_tokens_max: tokens(32_768, "Longest prompt (uniform and lognormal)."),
    output_distribution: choice(
      "lognormal",
      DISTRIBUTIONS,
      "Output length: fixed = mean; uniform = min to max.",
    ),
    output_tokens_mean: meanTokens(256, "the output length (fixed and lognormal)"),
    output_tokens_cv: cvOf(0.8, "the output length"),
    output_tokens_min: tokens(1, "Shortest output (uniform and lognormal)."),
    output_tokens_max: tokens(4096, "Longest output (uniform and lognormal)."),
  },
  open(values, { ratePerS, random }) {
    const gap = exponential(random("arrivals"), 1000 / ratePerS);
    const inputTokens = lengthSampler(random("input"), "input", {
      distribution: values.input_distribution,
      mean: values.input_tokens_mean,
      cv: values.input_tokens_cv,
      min: values.input_tokens_min,
      max: values.input_tokens_max,
    });
    const outputTokens = lengthSampler(random("output"), "output", {
      distribution: values.output_distribution,
      mean: values.output_tokens_mean,
      cv: values.output_tokens_cv,
      min: values.output_tokens_min,
      max: values.output_tokens_max,
    });
    let arrivalMs = 0;
    return {
      nextMs: () => arrivalMs,
      emit(trace) {
        trace.add({ arrivalMs, inputTokens: inputTokens(), outputTokens: outputTokens() }, null);
        arrivalMs += gap();
      },
    };
  },
});

interface LengthLaw {
  readonly distribution: (typeof DISTRIBUTIONS)[number];
  readonly mean: number;
  readonly cv: number;
  readonly min: number;
  readonly max: number;
}

function lengthSampler(
  random: Random,
  which: string,
  { distribution, mean, cv, min, max }: LengthLaw,
): Sampler {
  if (distribution === "fixed") return () => Math.round(mean);
  if (min > max) {
    throw new InputError(
      `generate.${which}_tokens_min: got ${min}, expected at most ${which}_tokens_max (${max})`,
    );
  }
  if (distribution === "uniform") return () => min + random.nextInt(max - min + 1);
  const draw = tokenSampler(random, mean, cv);
  return () => Math.min(max, Math.max(min, draw()));
}
