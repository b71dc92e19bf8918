import { nonNegativeLeastSquares } from "./nnls.js";

/** One observation: `target` is a sum of coefficients times `terms`. */
export interface Observation {
  readonly terms: readonly number[];
  readonly target: number;
  /** How much it counts beside the others; default 1. */
  readonly weight?: number;
}

/** Relative residuals beyond this many times their median weigh less (Huber's rule with k = 1.345). */
const HUBER_LIMIT = 1.345 / 0.6745;
const MOST_ROUNDS = 20;
const CONVERGED = 1e-7;

/**
 * Non-negative coefficients for the least relative error, with outliers weighed down: iteratively reweighted
 * least squares of `|predicted - target| / target` under Huber's weights. Targets must be positive.
 */
export function fitRelative(observations: readonly Observation[]): readonly number[] {
  const importance = observations.map(({ weight }) => weight ?? 1);
  let weights = importance;
  let coefficients: readonly number[] = [];
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const before = coefficients;
    coefficients = nonNegativeLeastSquares(
      observations.map(({ terms, target }, i) => terms.map((term) => (weights[i]! * term) / target)),
      weights,
    );
    if (coefficients.every((value, j) => Math.abs(value - (before[j] ?? Infinity)) <= CONVERGED * value))
      break;
    const errors = observations.map(
      ({ terms, target }, i) => (importance[i]! * Math.abs(predict(coefficients, terms) - target)) / target,
    );
    const limit = HUBER_LIMIT * Math.max(median(errors), 1e-9);
    weights = errors.map((error, i) => importance[i]! * (error <= limit ? 1 : Math.sqrt(limit / error)));
  }
  return coefficients;
}

/** What `coefficients` predict for `terms`. */
export function predict(coefficients: readonly number[], terms: readonly number[]): number {
  return terms.reduce((sum, term, j) => sum + term * coefficients[j]!, 0);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}
