import { describe, expect, it } from "vitest";
import {
  intervalOfMean,
  isDetectable,
  pairedChange,
  pairedDifference,
  unpairedDifference,
} from "../../src/measure/intervals.js";
import { studentTCdf, studentTQuantile } from "../../src/measure/student-t.js";
import type { Random } from "../../src/values/random.js";
import { randomStream } from "../../src/values/random.js";

const normal = (random: Random) =>
  Math.sqrt(-2 * Math.log(1 - random.nextFloat())) * Math.cos(2 * Math.PI * random.nextFloat());
const exponential = (random: Random) => -Math.log(1 - random.nextFloat());

/** Share of 95 % intervals over `n` draws that hold the true mean. */
function coverage(draw: (random: Random) => number, trueMean: number, n: number, trials: number): number {
  const random = randomStream(7, `coverage-${n}`);
  let covered = 0;
  for (let trial = 0; trial < trials; trial++) {
    const sample = Array.from({ length: n }, () => draw(random));
    const { low, high } = intervalOfMean(sample, { seed: trial % 20 });
    if (low! <= trueMean && trueMean <= high!) covered++;
  }
  return covered / trials;
}

describe("Student's t", () => {
  it.each([
    [1, 12.706205],
    [2, 4.302653],
    [3, 3.182446],
    [4, 2.776445],
    [9, 2.262157],
    [30, 2.042272],
  ])("has the tabled 97.5 %% quantile for %i degrees of freedom", (degrees, expected) => {
    expect(studentTQuantile(0.975, degrees)).toBeCloseTo(expected, 5);
  });

  it("is symmetric", () => {
    for (const degrees of [1, 2, 5, 8]) {
      expect(studentTCdf(1.3, degrees) + studentTCdf(-1.3, degrees)).toBeCloseTo(1, 12);
    }
  });
});

describe("an interval over seeds", () => {
  it.each([2, 3, 5])("of %i normal values covers the mean 95 times in 100", (n) => {
    expect(coverage(normal, 0, n, 8000)).toBeGreaterThan(0.94);
    expect(coverage(normal, 0, n, 8000)).toBeLessThan(0.96);
  });

  it.each([10, 20])("of %i normal values covers the mean 95 times in 100, by bootstrap", (n) => {
    const share = coverage(normal, 0, n, 800);
    expect(share).toBeGreaterThan(0.925);
    expect(share).toBeLessThan(0.975);
  });

  it("of 20 strongly skewed values still covers the mean 92 times in 100", () => {
    expect(coverage(exponential, 1, 20, 800)).toBeGreaterThan(0.92);
  });

  it("says by which method it was found, and from how many seeds", () => {
    expect(intervalOfMean([1, 2, 4])).toMatchObject({ n: 3, method: "student_t", level: 0.95 });
    expect(intervalOfMean(Array.from({ length: 10 }, (_, i) => i))).toMatchObject({
      n: 10,
      method: "bootstrap_t",
    });
  });

  it("has no ends with one seed, and then nothing is detectable", () => {
    const interval = intervalOfMean([5]);
    expect(interval).toMatchObject({ mean: 5, low: null, high: null });
    expect(isDetectable(interval)).toBe(false);
  });

  it("is a point where all seeds agree", () => {
    expect(intervalOfMean([0.1, 0.1, 0.1])).toMatchObject({ mean: 0.1, low: 0.1, high: 0.1 });
    const many = intervalOfMean(Array.from({ length: 12 }, () => 0.1));
    expect(many).toMatchObject({ mean: 0.1, low: 0.1, high: 0.1 });
  });

  it("is the same for the same seed", () => {
    const values = Array.from({ length: 15 }, (_, i) => Math.sqrt(i));
    expect(intervalOfMean(values, { seed: 3 })).toEqual(intervalOfMean(values, { seed: 3 }));
    expect(intervalOfMean(values, { seed: 3 })).not.toEqual(intervalOfMean(values, { seed: 4 }));
  });

  it("rejects an empty sample", () => {
    expect(() => intervalOfMean([])).toThrow(RangeError);
  });
});

describe("a paired comparison", () => {
  const baseline = [100, 140, 80];

  it("sees a small difference through large differences between seeds", () => {
    const values = baseline.map((value, i) => value + 5 + i * 0.1);
    const paired = pairedDifference(values, baseline);
    expect(paired.mean).toBeCloseTo(5.1, 10);
    expect(isDetectable(paired)).toBe(true);
  });

  it("detects nothing where the interval holds 0", () => {
    expect(isDetectable(pairedDifference([101, 139, 81], baseline))).toBe(false);
    expect(isDetectable(pairedDifference(baseline, baseline))).toBe(false);
  });

  it("states relative changes per seed, and none over a baseline of 0", () => {
    expect(pairedChange([110, 154, 88], baseline)!.mean).toBeCloseTo(0.1, 12);
    expect(pairedChange([1, 2], [0, 1])).toBeNull();
  });

  it("rejects samples of different length", () => {
    expect(() => pairedDifference([1], [1, 2])).toThrow(RangeError);
  });
});

describe("a comparison without pairs", () => {
  it("is Welch's, with its degrees of freedom rounded down", () => {
    // Variances 1 and 16 over 3 values each: t(2 degrees) = 4.3027.
    const found = unpairedDifference([9, 10, 11], [1, 5, 9]);
    expect(found.mean).toBeCloseTo(5, 12);
    expect(found.high! - found.mean).toBeCloseTo(4.30265 * Math.sqrt(17 / 3), 3);
    expect(isDetectable(found)).toBe(false);
  });

  it("has no ends with a single value on either side", () => {
    expect(unpairedDifference([1, 2, 3], [5])).toMatchObject({ mean: -3, low: null, high: null });
  });
});
