import { nonNegativeLeastSquares } from "./nnls.js";

/** One observation: `target` is a sum of coefficients times `terms`. */
export interface Observation {
  readonly terms: readonly number[];
  readonly target: number;
}

/** A fit and how well it meets what it was made from. */
export interface Fit {
  /** One per term; never negative. */
  readonly coefficients: readonly number[];
  /** Mean and largest of |predicted - target| / target, percent. */
  readonly meanErrorPct: number;
  readonly maxErrorPct: number;
}

/** Relative residuals beyond this many times their median weigh less (Huber's rule with k = 1.345). */
const HUBER_LIMIT = 1.345 / 0.6745;

/**
 * Non-negative coefficients for the least relative error, with outliers weighed down: iteratively reweighted
 * least squares of `|predicted - target| / target` under Huber's weights. Targets must be positive.
 */
export function fitRelative(observations: readonly Observation[], rounds = 20): Fit {
  let weights = observations.map(() => 1);
  let coefficients: readonly number[] = [];
  for (let round = 0; round < rounds; round++) {
    coefficients = nonNegativeLeastSquares(
      observations.map(({ terms, target }, i) => terms.map((term) => (weights[i]! * term) / target)),
      weights,
    );
    const errors = observations.map((observation) => relativeError(coefficients, observation));
    const limit = HUBER_LIMIT * Math.max(median(errors), 1e-9);
    weights = errors.map((error) => (error <= limit ? 1 : Math.sqrt(limit / error)));
  }
  const errors = observations.map((observation) => relativeError(coefficients, observation));
  return {
    coefficients,
    meanErrorPct: (100 * errors.reduce((sum, error) => sum + error, 0)) / errors.length,
    maxErrorPct: 100 * Math.max(...errors),
  };
}

/** What `coefficients` predict for `terms`. */
export function predict(coefficients: readonly number[], terms: readonly number[]): number {
  return terms.reduce((sum, term, j) => sum + term * coefficients[j]!, 0);
}

function relativeError(coefficients: readonly number[], { terms, target }: Observation): number {
  return Math.abs(predict(coefficients, terms) - target) / target;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}
