import type { Fit } from "./robust-fit.js";
import { errorsOf } from "./fit-step-times.js";
import type { StepSample } from "./step-samples.js";

type Coordinate = (sample: StepSample) => number;

/**
 * How well interpolation meets points it has not seen: every inner grid line of every axis is left out in
 * turn, and its points are predicted from the rest. (At its own points a table has no error at all.)
 *
 * @param build makes a model of the remaining samples, or null where they are too few
 */
export function leftOutError(
  samples: readonly StepSample[],
  axes: readonly Coordinate[],
  build: (kept: readonly StepSample[]) => ((sample: StepSample) => number) | null,
): Fit {
  const predicted = new Map<StepSample, number>();
  const left: StepSample[] = [];
  for (const coordinate of axes) {
    const values = [...new Set(samples.map(coordinate))].sort((a, b) => a - b);
    for (const value of values.slice(1, -1)) {
      const msOf = build(samples.filter((sample) => coordinate(sample) !== value));
      if (msOf === null) continue;
      for (const sample of samples) {
        if (coordinate(sample) !== value) continue;
        const copy = { ...sample };
        left.push(copy);
        predicted.set(copy, msOf(sample));
      }
    }
  }
  return errorsOf(left, (sample) => predicted.get(sample)!);
}
