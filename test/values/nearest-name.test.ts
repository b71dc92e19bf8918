import { describe, expect, it } from "vitest";
import { didYouMean, nearestName } from "../../src/values/nearest-name.js";

describe("nearestName", () => {
  const names = ["cache_threshold", "balance_abs_threshold", "round_robin", "random", "never"];

  it.each([
    ["cach_threshold", "cache_threshold"],
    ["cache-threshold", "cache_threshold"],
    ["Round_Robin", "round_robin"],
    ["ranodm", "random"],
    ["balance_abs", "balance_abs_threshold"],
    ["nevr", "never"],
    ["banana", null],
    ["", null],
  ])("takes %s for %s", (typed, meant) => {
    expect(nearestName(typed, names)).toBe(meant);
  });

  it("prefers the first of two equally near names", () => {
    expect(nearestName("ab", ["ac", "ad"])).toBe("ac");
  });

  it("phrases the suggestion, or nothing", () => {
    expect(didYouMean("nevr", names)).toBe(', did you mean "never"?');
    expect(didYouMean("banana", names)).toBe("");
  });
});
