import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nonNegativeLeastSquares } from "../../src/calibrate/nnls.js";

describe("nonNegativeLeastSquares", () => {
  it("finds an exact solution that is not negative", () => {
    const rows = [
      [1, 0, 2],
      [1, 1, 0],
      [1, 2, 5],
      [1, 5, 1],
    ];
    const x = nonNegativeLeastSquares(
      rows,
      rows.map(([a, b, c]) => 3 * a! + 0.5 * b! + 2 * c!),
    );
    expect(x[0]).toBeCloseTo(3, 9);
    expect(x[1]).toBeCloseTo(0.5, 9);
    expect(x[2]).toBeCloseTo(2, 9);
  });

  it("gives 0 where the free solution would be negative", () => {
    const rows = [1, 2, 3].map((value) => [1, value]);
    const x = nonNegativeLeastSquares(rows, [3, 2, 1]);
    expect(x).toEqual([expect.closeTo(2, 9), 0]);
  });

  it("gives 0 to a column that another explains completely", () => {
    const x = nonNegativeLeastSquares(
      [
        [1, 2],
        [2, 4],
        [3, 6],
      ],
      [2, 4, 6],
    );
    expect(x.filter((value) => value > 0)).toHaveLength(1);
    expect(x[0]! + 2 * x[1]!).toBeCloseTo(2, 9);
  });

  it("meets the optimality conditions on any problem", () => {
    const value = fc.integer({ min: -20, max: 20 });
    const problem = fc.integer({ min: 1, max: 5 }).chain((columns) =>
      fc.array(fc.tuple(fc.array(value, { minLength: columns, maxLength: columns }), value), {
        minLength: 1,
        maxLength: 12,
      }),
    );
    fc.assert(
      fc.property(problem, (lines) => {
        const rows = lines.map(([row]) => row);
        const targets = lines.map(([, target]) => target);
        const x = nonNegativeLeastSquares(rows, targets);
        const residual = rows.map((row, i) => targets[i]! - row.reduce((sum, a, j) => sum + a * x[j]!, 0));
        x.forEach((coefficient, j) => {
          const length = Math.hypot(...rows.map((row) => row[j]!));
          const descent = rows.reduce((sum, row, i) => sum + row[j]! * residual[i]!, 0);
          expect(coefficient).toBeGreaterThanOrEqual(0);
          expect(descent).toBeLessThanOrEqual(1e-6 * Math.max(1, length) * 100);
          if (coefficient > 1e-9)
            expect(Math.abs(descent)).toBeLessThanOrEqual(1e-6 * Math.max(1, length) * 100);
        });
      }),
      { numRuns: 500 },
    );
  });
});
