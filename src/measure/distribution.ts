import { quantile } from "simple-statistics";
import type { Distribution } from "./summary.js";

/** The percentiles a summary states, in ascending order. */
export const PERCENTILES = [0.5, 0.75, 0.9, 0.95, 0.99] as const;

const EMPTY: Distribution = { mean: null, p50: null, p75: null, p90: null, p95: null, p99: null, max: null };

/** A distribution from its parts; `percentiles` in the order of PERCENTILES. */
export function distributionFrom(mean: number, percentiles: readonly number[], max: number): Distribution {
  const [p50, p75, p90, p95, p99] = percentiles as [number, number, number, number, number];
  return { mean, p50, p75, p90, p95, p99, max };
}

/** The distribution of nothing: every figure null. */
export function emptyDistribution(): Distribution {
  return EMPTY;
}

/**
 * Exact mean, percentiles (type 7: linear interpolation, as numpy.percentile and `vllm bench serve`) and
 * maximum of a column. NaN stands for "not measured" and is left out.
 */
export function distributionOf(column: Float64Array): Distribution {
  const kept = new Float64Array(column.length);
  let count = 0;
  let sum = 0;
  let max = -Infinity;
  for (let i = 0; i < column.length; i++) {
    const value = column[i]!;
    if (Number.isNaN(value)) continue;
    kept[count++] = value;
    sum += value;
    if (value > max) max = value;
  }
  if (count === 0) return emptyDistribution();
  const measured = kept.subarray(0, count);
  // quantile() selects instead of sorting and takes any array with slice(); its type names only number[].
  const percentiles = quantile(measured as unknown as readonly number[], PERCENTILES);
  return distributionFrom(sum / count, percentiles, max);
}
