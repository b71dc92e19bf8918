import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fitRelative, predict } from "../../src/calibrate/robust-fit.js";

function line(base: number, slope: number, at: readonly number[]) {
  return at.map((x) => ({ terms: [1, x], target: base + slope * x }));
}

describe("fitRelative", () => {
  it("finds the coefficients that made the targets", () => {
    const coefficient = fc.double({ min: 0.01, max: 100, noNaN: true });
    fc.assert(
      fc.property(coefficient, coefficient, (base, slope) => {
        const [fittedBase, fittedSlope] = fitRelative(line(base, slope, [1, 2, 3, 5, 8, 13]));
        expect(fittedBase! / base).toBeCloseTo(1, 5);
        expect(fittedSlope! / slope).toBeCloseTo(1, 5);
      }),
    );
  });

  it("is not drawn away by a few outliers", () => {
    const observations = line(10, 2, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    const spoiled = observations.map((observation, i) =>
      i === 3 ? { ...observation, target: 5 * observation.target } : observation,
    );
    const [base, slope] = fitRelative(spoiled);
    expect(base).toBeCloseTo(10, 0);
    expect(slope).toBeCloseTo(2, 1);
  });

  it("follows a weak belief where the observations do not tell", () => {
    const same = [1, 2, 3].map(() => ({ terms: [1, 4], target: 50 }));
    const [base, slope] = fitRelative([...same, { terms: [0, 1], target: 10, weight: 0.01 }]);
    expect(slope).toBeCloseTo(10, 3);
    expect(base).toBeCloseTo(10, 3);
  });
});

describe("predict", () => {
  it("sums terms times coefficients", () => {
    expect(predict([2, 3], [10, 1])).toBe(23);
  });
});
