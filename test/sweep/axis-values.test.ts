import { describe, expect, it } from "vitest";
import { isList, parseAxisValues } from "../../src/sweep/axis-values.js";

describe("values of an axis", () => {
  it.each([
    ["4096", [4096]],
    ["0,512,1024", [0, 512, 1024]],
    ["round_robin, cache_aware", ["round_robin", "cache_aware"]],
    ["true,false,null", [true, false, null]],
    ["0:4096:1024", [0, 1024, 2048, 3072, 4096]],
    ["0:4095:1024", [0, 1024, 2048, 3072]],
    ["512:8192:x2", [512, 1024, 2048, 4096, 8192]],
    ["0,512:2048:x2", [0, 512, 1024, 2048]],
    ["0.1:0.5:0.1", [0.1, 0.2, 0.3, 0.4, 0.5]],
    ["0.19", [0.19]],
    ["traces/a.jsonl", ["traces/a.jsonl"]],
  ])("%s", (text, values) => {
    expect(parseAxisValues(text, "--x")).toEqual(values);
  });

  it.each([
    ["", "--x: expected a value"],
    ["1,,2", "--x: expected a value"],
    ["1,2,1", "--x: 1 is given twice"],
    ["10:1:1", '--x: "10:1:1": expected an END of at least START'],
    ["0:10:0", '--x: "0:10:0": expected a STEP above 0'],
    ["0:10:x2", '--x: "0:10:x2": expected a START above 0'],
    ["1:10:x1", "a FACTOR above 1"],
    ["0:1e6:1", "is more than 1000 values"],
  ])("%s is refused", (text, message) => {
    expect(() => parseAxisValues(text, "--x")).toThrow(message);
  });

  it("tells a list from a single value", () => {
    expect(["a,b", "0:8:2", "1:8:x2"].map(isList)).toEqual([true, true, true]);
    expect(["a", "http://host:80", "{a: 1, b: 2}", "[1, 2]"].map(isList)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});
