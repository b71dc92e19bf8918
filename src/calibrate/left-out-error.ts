import type { FittedKind, FittedPoint } from "./fitted-point.js";
import { describeSample } from "./step-samples.js";
import type { StepSample } from "./step-samples.js";

/**
 * How well interpolation meets points it has not seen: every inner grid line of every axis is left out in
 * turn, and its points are predicted from the rest. (At its own points a table has no error at all.)
 *
 * @param build makes a model of the remaining samples, or null where they are too few
 */
export function leftOutPoints(
  kind: FittedKind,
  samples: readonly StepSample[],
  axes: readonly ((sample: StepSample) => number)[],
  build: (kept: readonly StepSample[]) => ((sample: StepSample) => number) | null,
): FittedPoint[] {
  const points: FittedPoint[] = [];
  for (const coordinate of axes) {
    const values = [...new Set(samples.map(coordinate))].sort((a, b) => a - b);
    for (const value of values.slice(1, -1)) {
      const msOf = build(samples.filter((sample) => coordinate(sample) !== value));
      if (msOf === null) continue;
      for (const sample of samples.filter((left) => coordinate(left) === value)) {
        points.push({
          kind,
          measuredMs: sample.ms,
          predictedMs: msOf(sample),
          text: describeSample(sample),
        });
      }
    }
  }
  return points;
}
