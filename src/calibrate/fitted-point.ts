/** The kinds of step that are fitted separately, and whole requests where only those were measured. */
export type FittedKind = "decode" | "prefill" | "mixed" | "request";

/** One measurement beside what the fitted profile says of it. */
export interface FittedPoint {
  readonly kind: FittedKind;
  readonly measuredMs: number;
  readonly predictedMs: number;
  /** What was measured, for a tooltip. */
  readonly text: string;
}

/** Mean and largest relative error of one kind of point, percent; null where there is none. */
export interface FitErrors {
  readonly meanPct: number | null;
  readonly maxPct: number | null;
}

/** Errors over the points of a kind, rounded to a tenth of a percent. */
export function fitErrorsOf(points: readonly FittedPoint[], kind: FittedKind): FitErrors {
  const errors = points
    .filter((point) => point.kind === kind)
    .map(({ measuredMs, predictedMs }) => (100 * Math.abs(predictedMs - measuredMs)) / measuredMs);
  if (errors.length === 0) return { meanPct: null, maxPct: null };
  const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
  return { meanPct: Number(mean.toFixed(1)), maxPct: Number(Math.max(...errors).toFixed(1)) };
}
