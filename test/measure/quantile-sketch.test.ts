import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { distributionOf } from "../../src/measure/distribution.js";
import { gapDistribution } from "../../src/measure/gap-percentiles.js";
import { GapRunsBuilder } from "../../src/measure/gap-runs-builder.js";
import { GapSketch } from "../../src/measure/gap-sketch.js";
import { QuantileSketch, SKETCH_RELATIVE_ERROR } from "../../src/measure/quantile-sketch.js";
import type { Distribution } from "../../src/measure/summary.js";

const NANOSECOND_MS = 1e-6;
const PERCENTILE_NAMES = ["p50", "p75", "p90", "p95", "p99"] as const;

function expectClose(sketched: Distribution, exact: Distribution): void {
  expect(sketched.mean).toBe(exact.mean);
  expect(sketched.max).toBe(exact.max);
  for (const name of PERCENTILE_NAMES) {
    const allowed = Math.abs(exact[name] ?? 0) * SKETCH_RELATIVE_ERROR * (1 + 1e-9) + NANOSECOND_MS;
    expect(Math.abs((sketched[name] ?? 0) - (exact[name] ?? 0))).toBeLessThanOrEqual(allowed);
  }
}

describe("a quantile sketch", () => {
  it("is within its error of the exact percentiles, and exact in mean and maximum", () => {
    const value = fc.oneof(
      fc.double({ min: 0, max: 1e7, noNaN: true }),
      fc.double({ min: 0, max: 1e-3, noNaN: true }),
      fc.constantFrom(0, 1, NaN, 1e-9, 512, 511.999999, 3e5),
    );
    fc.assert(
      fc.property(fc.array(value, { maxLength: 60 }), (values) => {
        const sketch = new QuantileSketch();
        for (const one of values) sketch.add(one);
        expectClose(sketch.distribution(), distributionOf(Float64Array.from(values)));
      }),
    );
  });

  it("counts runs of gaps as if each gap were counted", () => {
    const run = fc.record({
      firstMs: fc.double({ min: 1, max: 1000, noNaN: true }),
      share: fc.double({ min: -0.9, max: 20, noNaN: true }),
      steps: fc.integer({ min: 1, max: 5000 }),
      weight: fc.integer({ min: 1, max: 9 }),
      times: fc.integer({ min: 1, max: 2 }),
    });
    fc.assert(
      fc.property(fc.array(run, { minLength: 1, maxLength: 12 }), (runs) => {
        const sketch = new GapSketch();
        const kept = new GapRunsBuilder();
        for (const { firstMs, share, steps, weight, times } of runs) {
          const deltaMs = (firstMs * share) / steps;
          for (let time = 0; time < times; time++) {
            sketch.add(firstMs, deltaMs, steps, weight);
            kept.add(firstMs, deltaMs, steps, weight);
          }
        }
        expectClose(sketch.distribution(), gapDistribution(kept.build()));
      }),
    );
  });
});
