import { describe, expect, it } from "vitest";
import { compareMarks, type PointMark } from "../../../src/sweep/search/objective.js";
import { GOODPUT } from "./search-bench.js";

const TTFT = { ...GOODPUT, name: "ttft_ms.p90", better: "lower" } as const;

function mark(value: number | null, attainment: number | null = 1, score: number | null = 50): PointMark {
  return { value, attainment, score };
}

describe("the order of a search", () => {
  it.each([
    ["more of what is better higher", GOODPUT, null, mark(2), mark(1)],
    ["less of what is better lower", TTFT, null, mark(1), mark(2)],
    ["the score where the objective is level", GOODPUT, null, mark(1, 1, 60), mark(1, 1, 50)],
    ["what reaches the attainment, whatever the objective", GOODPUT, 0.9, mark(1, 0.9), mark(2, 0.89)],
    ["below the attainment, what comes closest", GOODPUT, 0.9, mark(1, 0.8), mark(2, 0.7)],
    ["any figure before none", GOODPUT, null, mark(0), mark(null)],
    ["any result before a failure", GOODPUT, 0.9, mark(1, 0), mark(null, null, null)],
  ])("puts first %s", (_, objective, attainment, first, second) => {
    const compare = compareMarks(objective, attainment);
    expect([second, first].toSorted(compare)).toEqual([first, second]);
    expect(compare(first, second)).toBeLessThan(0);
    expect(compare(first, { ...first })).toBe(0);
  });
});
