import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { distributionOf } from "../../src/measure/distribution.js";
import { countGaps, gapDistribution } from "../../src/measure/gap-percentiles.js";
import { GapRunsBuilder } from "../../src/measure/gap-runs-builder.js";
import type { GapRuns } from "../../src/measure/records.js";
import { randomStream } from "../../src/values/random.js";

type Run = readonly [firstMs: number, deltaMs: number, steps: number, weight: number];

function gapsOf(runs: readonly Run[]): GapRuns {
  const builder = new GapRunsBuilder();
  for (const run of runs) builder.add(...run);
  return builder.build();
}

/** Every gap written out: what the closed form must agree with. */
function expand(gaps: GapRuns): Float64Array {
  const all = new Float64Array(countGaps(gaps));
  let at = 0;
  for (let run = 0; run < gaps.length; run++) {
    for (let step = 0; step < gaps.steps[run]!; step++) {
      all.fill(gaps.firstMs[run]! + step * gaps.deltaMs[run]!, at, (at += gaps.weight[run]!));
    }
  }
  return all;
}

function expectAsExpanded(gaps: GapRuns): void {
  const { mean, ...exact } = gapDistribution(gaps);
  const { mean: plainMean, ...plain } = distributionOf(expand(gaps));
  expect(exact).toEqual(plain);
  expect(mean! / plainMean!).toBeCloseTo(1, 12);
}

const firstMs = fc.oneof(
  fc.double({ min: 0.01, max: 5000, noNaN: true }),
  fc.constantFrom(12, 12.5, 12.5000001, 4000),
);
const deltaMs = fc.oneof(fc.constant(0), fc.double({ min: -1e-6, max: 0.5, noNaN: true }));
const run = fc.tuple(firstMs, deltaMs, fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 5 }));

describe("percentiles of token gaps", () => {
  it("are those of the gaps written out, for any runs", () => {
    fc.assert(
      fc.property(fc.array(run, { minLength: 1, maxLength: 80 }), (runs) => expectAsExpanded(gapsOf(runs))),
      { numRuns: 300 },
    );
  });

  it("are exact where rounding puts many positions on one value", () => {
    expectAsExpanded(
      gapsOf([
        [1000, 1e-14, 5000, 1],
        [1000, 3e-14, 5000, 2],
        [0.1, 0, 1, 1],
      ]),
    );
  });

  it("are exact for falling gaps and for one long run", () => {
    expectAsExpanded(gapsOf([[900, -0.3, 3000, 1]]));
    expectAsExpanded(gapsOf([[10, 0.001, 200_000, 3]]));
  });

  it("are all one value where all gaps are equal", () => {
    const all = { mean: 25, p50: 25, p75: 25, p90: 25, p95: 25, p99: 25, max: 25 };
    expect(
      gapDistribution(
        gapsOf([
          [25, 0, 100_000, 64],
          [25, 0, 3, 1],
        ]),
      ),
    ).toEqual(all);
  });

  it("are null where there is no gap", () => {
    expect(gapDistribution(gapsOf([])).p99).toBeNull();
    expect(gapDistribution(gapsOf([])).mean).toBeNull();
  });

  it("take a million runs of 100 million gaps without writing them out", () => {
    const random = randomStream(1, "gap-test");
    const builder = new GapRunsBuilder();
    for (let i = 0; i < 1e6; i++) {
      const stalled = random.nextFloat() < 0.001 ? 2000 : 0;
      builder.add(
        12 + stalled + random.nextFloat() * 20,
        6e-4 * random.nextFloat(),
        1 + random.nextInt(20),
        10,
      );
    }
    const gaps = builder.build();
    expect(countGaps(gaps)).toBeGreaterThan(1e8);
    const { p50, max } = gapDistribution(gaps);
    expect(p50).toBeCloseTo(22, 0);
    expect(max).toBeGreaterThan(2012);
  });
});

describe("the builder of gap runs", () => {
  it("keeps every run in order beyond its first capacity", () => {
    const runs = Array.from({ length: 5000 }, (_, i): Run => [i, 0.5, 2, 3]);
    const gaps = gapsOf(runs);
    expect(gaps.length).toBe(5000);
    expect(gaps.firstMs[4999]).toBe(4999);
    expect(gaps.weight).toHaveLength(5000);
  });

  it("adds the weight of a run equal to the one before", () => {
    const gaps = gapsOf([
      [10, 0.1, 4, 2],
      [10, 0.1, 4, 5],
      [10, 0.1, 5, 1],
    ]);
    expect(gaps.length).toBe(2);
    expect([...gaps.weight]).toEqual([7, 1]);
  });

  it("does not merge past what a weight can hold", () => {
    const gaps = gapsOf([
      [10, 0, 1, 0x7fffffff],
      [10, 0, 1, 1],
    ]);
    expect(gaps.length).toBe(2);
  });

  it("ignores runs without gaps", () => {
    expect(
      gapsOf([
        [10, 0, 0, 1],
        [10, 0, 1, 0],
      ]).length,
    ).toBe(0);
  });
});
