import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { paretoPoints } from "../../src/report/pareto.js";
import { pointOf, summaryOf, sweepOf } from "./sweep-builder.js";

const sweepFrom = (latencies: readonly (readonly [number, number])[]) =>
  sweepOf(
    latencies.map(([ttftP50, itlP50], i) => pointOf(i, { run: `r${i}` }, [summaryOf({ ttftP50, itlP50 })])),
  );

describe("the Pareto front", () => {
  it("is exactly the points that no other beats in one latency without losing in the other", () => {
    const latency = fc.integer({ min: 1, max: 12 });
    fc.assert(
      fc.property(fc.array(fc.tuple(latency, latency), { minLength: 1, maxLength: 25 }), (latencies) => {
        const found = paretoPoints(sweepFrom(latencies).points);
        for (const one of found) {
          const isBeaten = found.some(
            (other) =>
              other.ttftMs <= one.ttftMs &&
              other.itlMs <= one.itlMs &&
              (other.ttftMs < one.ttftMs || other.itlMs < one.itlMs),
          );
          expect(one.isOnFront).toBe(!isBeaten);
        }
      }),
    );
  });

  it("leaves out points without a result", () => {
    const sweep = sweepOf([pointOf(0, { run: "a" }, ["failed"]), pointOf(1, { run: "b" }, [summaryOf()])]);
    expect(paretoPoints(sweep.points).map(({ point }) => point.index)).toEqual([1]);
  });
});
