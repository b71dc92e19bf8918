import type { Summary } from "../../measure/summary.js";

/** A figure of a summary that a search makes as good as it can. */
export interface Objective {
  readonly name: string;
  readonly better: "higher" | "lower";
  /** null where the run lacks it. */
  read(summary: Summary): number | null;
}

/** How a point did over its seeds. */
export interface PointMark {
  /** Mean of the objective; null where a run failed or lacks it. */
  readonly value: number | null;
  /** The lowest SLO attainment of any seed; null where a run failed. */
  readonly attainment: number | null;
  /** Mean score: what decides between points that are level. */
  readonly score: number | null;
}

/** @param summaries one for each seed; null = the run failed or was stopped */
export function markOf(summaries: readonly (Summary | null)[], objective: Objective): PointMark {
  const whole = summaries.flatMap((summary) => summary ?? []);
  if (whole.length < summaries.length || whole.length === 0)
    return { value: null, attainment: null, score: null };
  const values = whole.flatMap((summary) => objective.read(summary) ?? []);
  return {
    value: values.length < whole.length ? null : mean(values),
    attainment: Math.min(...whole.map(({ goodput }) => goodput.attainment)),
    score: mean(whole.map(({ score }) => score.value)),
  };
}

/**
 * The order of a search, best first: points that reach the attainment before those that do not, then by the
 * objective (below the attainment: by how much of it is reached), then by score.
 */
export function compareMarks(
  objective: Objective,
  attainment: number | null,
): (a: PointMark, b: PointMark) => number {
  const sign = objective.better === "higher" ? -1 : 1;
  const reaches = (mark: PointMark): boolean =>
    mark.attainment !== null && mark.attainment >= (attainment ?? 0);
  return (a, b) => {
    if (reaches(a) !== reaches(b)) return reaches(a) ? -1 : 1;
    if (!reaches(a)) return descending(a.attainment, b.attainment) || descending(a.score, b.score);
    const byValue = descending(signed(a.value, -sign), signed(b.value, -sign));
    return byValue || descending(a.score, b.score);
  };
}

function signed(value: number | null, sign: number): number | null {
  return value === null ? null : sign * value;
}

/** Points without a figure come last. */
function descending(a: number | null, b: number | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  return b - a;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
