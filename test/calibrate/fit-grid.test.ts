import { describe, expect, it } from "vitest";
import { fitGrid } from "../../src/calibrate/fit-grid.js";
import { loadOf } from "../../src/calibrate/step-samples.js";
import type { StepSample } from "../../src/calibrate/step-samples.js";
import { stepTimeModel } from "../../src/engine/profile.js";
import { InputError } from "../../src/errors.js";
import { gridOf, linearProfile } from "./builders.js";

const PROFILE = linearProfile({ context_skew: { decode: 0, mixed: 0 } });
const GRID = gridOf(PROFILE, [256, 512, 1024], [0, 2048, 4096], [1, 8, 32], [512, 1024, 4096]);

function errorsAt(samples: readonly StepSample[], grid: readonly StepSample[]): number[] {
  const model = stepTimeModel({ ...PROFILE, step_time: fitGrid(grid, "grid.csv").step_time });
  return samples.map((sample) => Math.abs(model.stepMs(loadOf(sample)) - sample.ms) / sample.ms);
}

describe("fitGrid", () => {
  it("makes tables of complete grids that repeat every step of them", () => {
    const { step_time, warnings } = fitGrid(GRID, "grid.csv");
    expect(step_time.decode).toHaveProperty("sequences", [1, 8, 32]);
    expect(step_time.prefill).toHaveProperty("chunk_tokens", [256, 512, 1024]);
    expect(step_time.mixed).toHaveProperty("context_tokens", [512, 1024, 4096]);
    expect(warnings).toEqual([]);
    expect(Math.max(...errorsAt(GRID, GRID))).toBeLessThan(1e-9);
  });

  it("meets steps between the points of a grid", () => {
    const between = gridOf(PROFILE, [300, 800], [100, 3000], [4, 20], [600, 2000]);
    expect(Math.max(...errorsAt(between, GRID))).toBeLessThan(0.02);
  });

  it("states the error of tables at points left out of them", () => {
    const { fit_error, points } = fitGrid(GRID, "grid.csv");
    expect(fit_error.decode_mean_pct).toBeLessThan(1);
    expect(fit_error.mixed_max_pct).toBeLessThan(5);
    expect(points.filter((point) => point.kind === "decode")).toHaveLength(2 * 3);
  });

  it("means repeats of the same step", () => {
    const doubled = GRID.flatMap((sample) => [
      { ...sample, ms: sample.ms * 0.9 },
      { ...sample, ms: sample.ms * 1.1 },
    ]);
    expect(Math.max(...errorsAt(GRID, doubled))).toBeLessThan(1e-9);
  });

  it("fits lines and says so where a grid has holes", () => {
    const holes = GRID.filter((_, i) => i % 7 !== 3);
    const { step_time, warnings } = fitGrid(holes, "grid.csv");
    expect(step_time.decode).toHaveLength(1);
    expect(step_time.prefill).toHaveProperty("per_token_ms");
    expect(step_time.mixed).toHaveProperty("per_context_token_ms");
    expect(warnings).toHaveLength(3);
    expect(Math.max(...errorsAt(GRID, holes))).toBeLessThan(0.02);
  });

  it("assumes what mixed steps cost, and says so, where there are none", () => {
    const apart = GRID.filter((sample) => sample.chunks === 0 || sample.decodes === 0);
    const { step_time, warnings } = fitGrid(apart, "grid.csv");
    const { per_context_token_ms } = step_time.mixed as { per_context_token_ms: number };
    expect(per_context_token_ms).toBeCloseTo(0.00014 * 1.68, 7);
    expect(warnings.join()).toContain("no steps of a chunk and decodes");
  });

  it("warns of an axis with one value: its coefficient cannot be told", () => {
    const { warnings } = fitGrid(
      GRID.filter((sample) => sample.cachedTokens === 0),
      "grid.csv",
    );
    expect(warnings).toEqual([expect.stringMatching(/^kv_prefill is 0 in all steps of a chunk only/)]);
  });

  it.each([
    ["decodes", GRID.filter((sample) => sample.chunks > 0), /grid\.csv: no steps of decodes only/],
    ["chunks", GRID.filter((sample) => sample.chunks === 0), /grid\.csv: no steps of a chunk only/],
  ])("refuses a grid without steps of %s alone", (_, samples, message) => {
    expect(() => fitGrid(samples, "grid.csv")).toThrow(InputError);
    expect(() => fitGrid(samples, "grid.csv")).toThrow(message);
  });
});
