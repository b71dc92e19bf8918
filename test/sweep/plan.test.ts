import { describe, expect, it } from "vitest";
import { parseScenarioSource } from "../../src/scenario/scenario-source.js";
import { overrideOf, planSweep, type SweepPlan } from "../../src/sweep/plan.js";

const FILE = `
name: test
seed: 5
workload: { trace: a.jsonl }
router: { decider: { kind: threshold } }
sweep:
  engine.max_num_seqs: [64, 128]
  speedup: 1:4:x2
  seeds: 2
`;

function plan(text: string, flags: Record<string, string> = {}, seeds: string | null = null): SweepPlan {
  const typed = Object.entries(flags).map(([setting, value]) => ({
    setting,
    text: value,
    source: `--${setting.replaceAll("_", "-")}`,
  }));
  return planSweep(parseScenarioSource(text, "x.yaml"), typed, seeds, "/work");
}

describe("the plan of a sweep", () => {
  it("is the product of the file's axes, the last one fastest", () => {
    const { axes, points, seeds } = plan(FILE);
    expect(axes).toEqual([
      { setting: "engine.max_num_seqs", values: [64, 128] },
      { setting: "speedup", values: [1, 2, 4] },
    ]);
    expect(points.map(({ settings }) => Object.values(settings))).toEqual([
      [64, 1],
      [64, 2],
      [64, 4],
      [128, 1],
      [128, 2],
      [128, 4],
    ]);
    expect(points[4]!.scenario).toMatchObject({ engine: { max_num_seqs: 128 }, workload: { speedup: 2 } });
    expect(seeds).toEqual([5, 6]);
  });

  it("puts a flag's list in place of the file's axis of the same setting, others last", () => {
    const { axes } = plan(FILE, { requests: "1,2", "engine.max_num_seqs": "8,16" });
    expect(axes).toEqual([
      { setting: "engine.max_num_seqs", values: [8, 16] },
      { setting: "speedup", values: [1, 2, 4] },
      { setting: "requests", values: [1, 2] },
    ]);
  });

  it("lets a flag's single value remove the axis", () => {
    const { axes, points, base } = plan(FILE, { speedup: "8" });
    expect(axes.map(({ setting }) => setting)).toEqual(["engine.max_num_seqs"]);
    expect(base.workload.speedup).toBe(8);
    expect(points.every(({ scenario }) => scenario.workload.speedup === 8)).toBe(true);
  });

  it("lets a flag win over an axis of the file that sets more", () => {
    const text = "router: {}\nsweep: { policy: [random, round_robin] }\nworkload: { trace: a }";
    const { points } = plan(text, { decode_policy: "least_loaded" });
    expect(points.map(({ scenario }) => scenario.router)).toMatchObject([
      { prefill_policy: "random", decode_policy: "least_loaded" },
      { prefill_policy: "round_robin", decode_policy: "least_loaded" },
    ]);
  });

  it("applies a flag for both legs before one for a single leg, however they are ordered", () => {
    const { base } = plan("workload: { trace: a }", { prefill_policy: "random", policy: "least_loaded" });
    expect(base.router).toMatchObject({ prefill_policy: "random", decode_policy: "least_loaded" });
  });

  it.each([
    ["3", [5, 6, 7]],
    ["9,2", [9, 2]],
  ])("takes --seeds %s", (text, seeds) => {
    expect(plan(FILE, {}, text).seeds).toEqual(seeds);
  });

  it.each(["0", "-1", "1.5", "a", "1,1", "1,-2"])("refuses --seeds %s", (text) => {
    expect(() => plan(FILE, {}, text)).toThrow(`--seeds: ${text}: expected how many seeds`);
  });

  it.each([
    ["sweep: { speedup: [1, -2] }", "x.yaml:1:23: sweep.speedup.1: -2: expected a number above 0"],
    ["sweep: { speedup: [1, 1] }", "x.yaml:1:10: sweep.speedup: 1 is given twice"],
    ["sweep: { speedup: [] }", "x.yaml:1:10: sweep.speedup: expected a list of values"],
    ["sweep: { speedup: [{ a: 1 }] }", "x.yaml:1:20: sweep.speedup.0: expected a list of values"],
    ["sweep: { speedup: 4:1:1 }", 'x.yaml:1:19: sweep.speedup: "4:1:1": expected an END of at least START'],
    ["sweep: { sped: [1] }", 'x.yaml:1:10: sweep.sped: unknown setting, did you mean "seed"?'],
    [
      "sweep: { max_num_seqs: [1] }",
      'sweep.max_num_seqs: unknown setting, did you mean "engine.max_num_seqs"?',
    ],
    ["sweep: { seed: [1, 2] }", "x.yaml:1:10: sweep.seed: expected one seed; `seeds` repeats"],
    ["sweep: { seeds: -1 }", "x.yaml:1:17: sweep.seeds: expected how many seeds"],
    ["sweep: 3", "x.yaml:1:8: sweep: expected a block of settings"],
  ])("refuses %s and says where", (text, message) => {
    expect(() => plan(text)).toThrow(message);
  });

  it("names the flag whose list holds an impossible value", () => {
    expect(() => plan(FILE, { decode_workers: "1,0" })).toThrow(
      "--decode-workers: 0: expected a whole number of at least 1",
    );
  });

  it("refuses a grid nobody could run", () => {
    const thousand = "1:1000:1";
    expect(() => plan(FILE, { rate: thousand, requests: thousand })).toThrow("expected at most 20000");
  });
});

describe("a setting that changes nothing", () => {
  const noCache = "workload: { trace: a }\nrouter: { policy: random, cache_threshold: 0.5 }";

  it("is an error where a flag gave it", () => {
    expect(() => plan(noCache, { cache_threshold: "0.1,0.2" })).toThrow(
      /^--cache-threshold: applies to .*policy cache_aware.*, and in force are decider threshold, policy random$/,
    );
    expect(() => plan(noCache, { decider: "always", routing_threshold: "0,5" })).toThrow(
      /^--routing-threshold: applies to decider threshold.*, and in force are decider always/,
    );
    const generated = "workload: { generate: { kind: lengths } }";
    expect(() => plan(generated, { trace_format: "azure" })).toThrow(
      "--trace-format: applies to traces, and the workload is generated",
    );
  });

  it("is none where one point of the grid uses it", () => {
    const { points } = plan(noCache, { cache_threshold: "0.1,0.2", policy: "random,cache_aware" });
    expect(points).toHaveLength(4);
  });

  it("is a warning where the file gives it", () => {
    expect(plan(noCache).warnings).toEqual([
      expect.stringMatching(
        /^x\.yaml:2: router\.cache_threshold changes nothing: it applies to .*cache_aware/,
      ),
    ]);
    expect(plan(`${noCache}\nsweep: { policy: [random, cache_aware] }`).warnings).toEqual([]);
  });

  it("is nothing to mention where a flag is the reason", () => {
    const cached = "workload: { trace: a }\nrouter: { policy: cache_aware, cache_threshold: 0.5 }";
    expect(plan(cached, { policy: "random" }).warnings).toEqual([]);
  });
});

describe("a single value", () => {
  it("is read as YAML", () => {
    const value = (text: string): unknown => overrideOf({ setting: "x", text, source: "--x" }).value;
    expect(["1", "true", "null", "abc", "{ kind: chat }", "[1, 2]"].map(value)).toEqual([
      1,
      true,
      null,
      "abc",
      { kind: "chat" },
      [1, 2],
    ]);
  });

  it("is not a list", () => {
    expect(() => overrideOf({ setting: "policy", text: "a,b", source: "--policy" })).toThrow(
      '--policy: "a,b": expected one value here; `pdbench sweep` takes lists and ranges',
    );
  });
});
