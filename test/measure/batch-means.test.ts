import { describe, expect, it } from "vitest";
import { blocksDrift, blocksOf, intervalOverBlocks } from "../../src/measure/batch-means.js";
import { randomStream } from "../../src/values/random.js";

/** Values around 0 in which neighbours are alike, as the requests of one run are. */
function correlated(seed: number, count: number, likeness: number): Float64Array {
  const random = randomStream(seed, "correlated");
  let value = 0;
  return Float64Array.from({ length: count }, () => {
    const noise =
      Math.sqrt(-2 * Math.log(1 - random.nextFloat())) * Math.cos(2 * Math.PI * random.nextFloat());
    value = likeness * value + noise;
    return value;
  });
}

const meanOf = (values: Float64Array) => (from: number, to: number) =>
  values.subarray(from, to).reduce((sum, value) => sum + value, 0) / (to - from);

describe("intervals over blocks of one run", () => {
  const runs = Array.from({ length: 400 }, (_, seed) => correlated(seed + 1, 2000, 0.9));

  it("hold the true mean of correlated values about as often as they claim", () => {
    const covered = runs.filter((values) => {
      const { low, high } = intervalOverBlocks(values.length, meanOf(values), 2)!;
      return low! <= 0 && high! >= 0;
    }).length;
    expect(covered / runs.length).toBeGreaterThan(0.91);
    expect(covered / runs.length).toBeLessThan(0.98);
  });

  it("are needed: values taken for independent cover less than half as often", () => {
    const covered = runs.filter((values) => {
      const mean = meanOf(values)(0, values.length);
      const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
      return Math.abs(mean) <= (1.96 * Math.sqrt(squares / (values.length - 1))) / Math.sqrt(values.length);
    }).length;
    expect(covered / runs.length).toBeLessThan(0.5);
  });

  it("are around the figure over the whole run, whatever the blocks say", () => {
    const values = Float64Array.from({ length: 105 }, (_, i) => i);
    const max = (from: number, to: number) => Math.max(...values.subarray(from, to));
    expect(intervalOverBlocks(105, max, 2)!.mean).toBe(104);
  });

  it("have no ends where blocks would hold too few requests", () => {
    const values = correlated(1, 999, 0);
    expect(intervalOverBlocks(999, meanOf(values), 100)).toMatchObject({ low: null, high: null });
    expect(intervalOverBlocks(1000, meanOf(correlated(1, 1000, 0)), 100)!.n).toBe(10);
    expect(intervalOverBlocks(0, () => Number.NaN, 2)).toBeNull();
  });

  it("tell a drifting run from one that is only noisy", () => {
    const drifting = Float64Array.from({ length: 2000 }, (_, i) => i);
    expect(blocksDrift(blocksOf(2000, meanOf(drifting), 2))).toBe(true);
    const said = runs.filter((values) => blocksDrift(blocksOf(values.length, meanOf(values), 2))).length;
    expect(said / runs.length).toBeLessThan(0.1);
  });
});
