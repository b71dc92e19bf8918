import { describe, expect, it } from "vitest";
import {
  formatChange,
  formatChangeRange,
  formatDuration,
  formatNumber,
  formatShare,
} from "../../src/report/format.js";
import { pointName, settingsWords } from "../../src/report/setting-words.js";

describe("numbers for people", () => {
  it.each<[number | null, string]>([
    [12_345.6, "12,346"],
    [123.4, "123"],
    [99.96, "100"],
    [12.34, "12.3"],
    [1.234, "1.23"],
    [0.1234, "0.123"],
    [0.001, "0.00100"],
    [0.00012, "1.2e-4"],
    [-12.34, "-12.3"],
    [0, "0"],
    [null, "-"],
  ])("print %s as %s", (value, expected) => expect(formatNumber(value)).toBe(expected));

  it.each([
    [0.18, "+18 %"],
    [-0.012, "-1.2 %"],
    [0.0996, "+10 %"],
    [0.0001, "0 %"],
    [-0.0001, "0 %"],
  ])("print a change of %s as %s", (change, expected) => expect(formatChange(change)).toBe(expected));

  it("print intervals of changes in percent", () => {
    expect(formatChangeRange(0.14, 0.22)).toBe("14..22");
    expect(formatChangeRange(-0.021, 0.034)).toBe("-2.1..3.4");
    expect(formatChangeRange(0.054, 0.28)).toBe("5..28");
  });

  it("print shares and durations in units that suit them", () => {
    expect(formatShare(0.3736)).toBe("37.4 %");
    expect([0.82, 12.34, 245, 7380].map(formatDuration)).toEqual([
      "820 ms",
      "12.3 s",
      "4 min 5 s",
      "2 h 3 min",
    ]);
  });
});

describe("settings in words", () => {
  it.each([
    [{ routing_threshold: 0 }, "always disaggregate"],
    [{ "router.decider.routing_threshold": 2048 }, "disaggregate prompts of 2,048 tokens or more"],
    [{ decider: "never" }, "never disaggregate"],
    [{ policy: "cache_aware" }, "policy cache_aware on both legs"],
    [
      { "router.prefill_policy": "random", decode_policy: "round_robin" },
      "prefill policy random; decode policy round_robin",
    ],
    [{ prefill_workers: 4, preset: null }, "4 prefill workers; preset none"],
    [{ "engine.max_num_seqs": 128 }, "engine.max_num_seqs 128"],
  ])("say %o as %s", (settings, expected) => expect(settingsWords(settings)).toBe(expected));

  it("name a point by its settings, and a run by its name", () => {
    expect(pointName({ "router.decider.routing_threshold": 2048, policy: "random" })).toBe(
      "routing_threshold=2048 policy=random",
    );
    expect(pointName({ run: "measured" })).toBe("measured");
  });
});
