import type { Random } from "../../values/random.js";
import { lognormal, type Sampler } from "../distributions.js";
import { integer, number, type Parameter } from "./parameters.js";

/** Longest prompt or output that a generator makes. */
const MAX_TOKENS = 1_000_000;
const MAX_CV = 10;

/** A number of tokens, fixed or a limit. */
export function tokens(initial: number, summary: string, min = 1): Parameter<number> {
  return integer(initial, { min, max: MAX_TOKENS, unit: "tokens" }, summary);
}

/** The mean of a number of tokens. */
export function meanTokens(initial: number, what: string): Parameter<number> {
  return number(initial, { min: 1, max: MAX_TOKENS, unit: "tokens" }, `Mean of ${what}.`);
}

/** The spread that goes with a mean. */
export function cvOf(initial: number, what: string): Parameter<number> {
  const summary = `Coefficient of variation of ${what} (lognormal); 0 = always the mean.`;
  return number(initial, { min: 0, max: MAX_CV }, summary);
}

/** A time of the user between requests. */
export function seconds(initial: number, summary: string): Parameter<number> {
  return number(initial, { min: 0, max: 86_400, unit: "s" }, summary);
}

/** Whole tokens, at least 1, lognormal with the given mean and coefficient of variation. */
export function tokenSampler(random: Random, mean: number, cv: number): Sampler {
  const draw = lognormal(random, mean, cv);
  return () => Math.max(1, Math.round(draw()));
}
