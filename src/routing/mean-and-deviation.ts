/** Mean and sample standard deviation (0 for one value) of `count` values by their sums, as AIBrix has them. */
export function meanAndDeviation(
  count: number,
  { sum, squares }: { readonly sum: number; readonly squares: number },
): { readonly mean: number; readonly deviation: number } {
  const mean = sum / count;
  const freedom = Math.max(1, count - 1);
  return { mean, deviation: Math.sqrt(Math.max(0, squares - sum * mean) / freedom) };
}
