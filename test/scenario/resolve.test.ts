import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PRESETS } from "../../src/routing/registry.js";
import { explainSettings } from "../../src/scenario/explain.js";
import type { Override } from "../../src/scenario/overrides.js";
import { engineSettings, resolveScenario, resolveWithOrigins } from "../../src/scenario/resolve.js";
import { ScenarioError } from "../../src/scenario/scenario-error.js";
import { parseScenarioSource } from "../../src/scenario/scenario-source.js";
import type { Scenario } from "../../src/scenario/schema.js";
import { scenarioToYaml, settingsOf } from "../../src/scenario/to-yaml.js";

const SOURCE = "--flag";

function resolved(yaml: string, settings: Record<string, unknown> = {}): Scenario {
  return resolveScenario(parseScenarioSource(yaml, "dir/x.yaml"), overrides(settings), "/cwd");
}

function overrides(settings: Record<string, unknown>): Override[] {
  return Object.entries(settings).map(([setting, value]) => ({ setting, value, source: SOURCE }));
}

function errorOf(yaml: string, settings: Record<string, unknown> = {}): Error {
  try {
    resolved(yaml, settings);
  } catch (error) {
    return error as Error;
  }
  throw new Error("no error");
}

describe("a scenario", () => {
  it("has a default for everything", () => {
    expect(resolved("")).toMatchObject({
      name: "scenario",
      fleet: { prefill: { workers: 1, profile: "llama-3.1-70b-h100-tp4-fp8" }, decode: { workers: 1 } },
      engine: { vllm_version: "0.19", block_size: 16, max_num_seqs: 256, max_num_batched_tokens: 8192 },
      network: { kv_transfer: { bandwidth_gbps: 200, latency_ms: 2, contention: true }, hop_ms: 0 },
      workload: { trace: null, generate: null, speedup: 1, jitter: true },
      slo: { ttft_ms: null, tpot_ms: null, e2e_ms: null },
      seed: 1,
    });
  });

  it.each([
    ["fleet: { profile: opt-13b-a100-tp1-fp16 }", "opt-13b-a100-tp1-fp16", "opt-13b-a100-tp1-fp16"],
    [
      "fleet: { prefill: { profile: opt-13b-a100-tp2-fp16 } }",
      "opt-13b-a100-tp2-fp16",
      "opt-13b-a100-tp2-fp16",
    ],
    [
      "fleet: { profile: opt-13b-a100-tp1-fp16, decode: { profile: opt-13b-a100-tp4-fp16 } }",
      "opt-13b-a100-tp1-fp16",
      "opt-13b-a100-tp4-fp16",
    ],
  ])("takes the profiles of the legs from %s", (yaml, prefill, decode) => {
    const { fleet } = resolved(yaml);
    expect([fleet.prefill.profile, fleet.decode.profile]).toEqual([prefill, decode]);
  });

  it("lets a leg differ from the common engine settings", () => {
    const scenario = resolved(
      "engine: { max_num_seqs: 64 }\nfleet: { decode: { engine: { max_num_seqs: 8 }, kv_blocks: 99 } }",
    );
    expect(engineSettings(scenario, "prefill")).toMatchObject({ max_num_seqs: 64, num_gpu_blocks: null });
    expect(engineSettings(scenario, "decode")).toMatchObject({ max_num_seqs: 8, num_gpu_blocks: 99 });
  });

  it.each([
    ['"0.11"', false],
    ["0.19", true],
    ["main-2026-08", true],
  ])("schedules as vLLM %s does by default", (version, isAsync) => {
    const scenario = resolved(`engine: { vllm_version: ${version} }`);
    expect(engineSettings(scenario, "prefill").async_scheduling).toBe(isAsync);
  });

  it("fills in the parameters of a generator", () => {
    const { workload } = resolved("workload: { generate: { kind: lengths, rate: 7 } }");
    expect(workload).toMatchObject({ requests: 1000, generate: { kind: "lengths", rate: 7 } });
    expect(workload.generate).toHaveProperty("input_tokens_mean");
  });

  it("resolves paths of the file against its folder and those of flags against the working directory", () => {
    const folder = `${process.cwd()}/dir`;
    expect(resolved("workload: { trace: a.jsonl }").workload.trace).toBe(`${folder}/a.jsonl`);
    expect(resolved("workload: { trace: a.jsonl }", { trace: "b.jsonl" }).workload.trace).toBe(
      "/cwd/b.jsonl",
    );
  });

  it("may have no prefill workers when nothing is disaggregated", () => {
    expect(
      resolved("fleet: { prefill: { workers: 0 } }\nrouter: { decider: never }").fleet.prefill.workers,
    ).toBe(0);
  });
});

describe("flags over a scenario", () => {
  it.each([
    [
      "workload: { generate: { kind: lengths } }",
      { trace: "/t.jsonl" },
      { trace: "/t.jsonl", generate: null },
    ],
    ["workload: { trace: a, speedup: 4 }", { rate: 5 }, { rate: 5, speedup: 1 }],
    [
      "workload: { trace: a, rate: 5, arrival: constant }",
      { speedup: 2 },
      { rate: null, arrival: "poisson" },
    ],
    ["workload: { trace: a, rate: 5 }", { "workload.concurrency": 3 }, { rate: null, concurrency: 3 }],
  ])("take the place of what contradicts them: %s", (yaml, settings, workload) => {
    expect(resolved(yaml, settings).workload).toMatchObject(workload);
  });

  it("win over what the file says of one leg", () => {
    const yaml =
      "router: { policy: cache_aware, prefill: { cache_threshold: 0.9 } }\n" +
      "fleet: { decode: { engine: { max_num_seqs: 8 } } }";
    const scenario = resolved(yaml, { cache_threshold: 0.1, "engine.max_num_seqs": 16 });
    expect(scenario.router).toMatchObject({
      prefill: { cache_threshold: 0.1 },
      decode: { cache_threshold: 0.1 },
    });
    expect(engineSettings(scenario, "decode").max_num_seqs).toBe(16);
  });

  it("replace the file's whole router by a preset, but not each other", () => {
    const yaml = "router: { policy: random, decider: never, order: decode_first }";
    const [preset] = PRESETS;
    const { router } = resolved(yaml, { preset: preset!.name, decode_policy: "round_robin" });
    const alone = resolved(`router: { preset: ${preset!.name} }`).router;
    expect(router).toMatchObject({ decider: alone["decider"], prefill_policy: alone["prefill_policy"] });
    expect(router).toMatchObject({ preset: preset!.name, decode_policy: "round_robin" });
    expect(resolved(yaml, { preset: null }).router).toMatchObject({ prefill_policy: "random" });
  });

  it("may contradict each other only to be told so", () => {
    expect(errorOf("", { rate: 5, speedup: 2 }).message).toContain("rate 5 with speedup 2");
  });

  it("leave what the file gives to another policy alone", () => {
    const { router } = resolved("router: { policy: cache_aware, cache_threshold: 0.9 }", {
      policy: "random",
    });
    expect(router).toMatchObject({ prefill_policy: "random", decode_policy: "random" });
    expect(JSON.stringify(router)).not.toContain("cache_threshold");
  });
});

describe("a wrong scenario is refused where it is wrong", () => {
  it.each([
    ["router: { cach_threshold: 1 }", "1:11: router.cach_threshold: there is no such setting, did you mean"],
    ["fleet:\n  prefil: {}", '2:3: fleet.prefil: unknown field, did you mean "prefill"?'],
    ["banana: 1", "1:1: banana: unknown field, expected one of name, fleet, engine"],
    [
      "fleet: { decode: { workers: 0 } }",
      "1:29: fleet.decode.workers: 0: expected a whole number of at least 1",
    ],
    [
      "fleet: { prefill: { workers: 0 } }",
      '1:30: fleet.prefill.workers: 0: expected at least 1 with decider "',
    ],
    ["fleet: { profile: llama }", '1:19: fleet.profile: "llama": expected a built-in profile'],
    ["fleet: { profile: ./none.yaml }", 'none.yaml": expected a profile file that exists'],
    [
      "router: { policy: cach_aware }",
      '1:19: router.policy: "cach_aware" is not known, did you mean "cache_aware"?',
    ],
    [
      "router: { decider: { routing_threshold: -1 } }",
      "1:41: router.decider.routing_threshold: -1 is not valid",
    ],
    ["engine: { block_size: 1.5 }", "1:23: engine.block_size: 1.5: expected a whole number of at least 1"],
    ["engine: { scheduling_policy: fcsf }", 'expected one of fcfs, priority, did you mean "fcfs"?'],
    ["engine: { vllm_version: 0.12 }", '1:25: engine.vllm_version: "0.12": expected one of 0.11, 0.19'],
    ["engine: 5", "1:9: engine: 5: expected a block of settings"],
    ["workload: { generate: { kind: chat } }", '1:31: workload.generate.kind: generator "chat" is unknown'],
    ["workload: { generate: { rate: 1 } }", "workload.generate.kind: missing: expected text"],
    [
      "workload: { generate: { kind: lengths, rat: 1 } }",
      "1:40: workload.generate.rat: unknown parameter, did you",
    ],
    ["workload: { trace: a, generate: { kind: lengths } }", "expected a trace or a generator, not both"],
    ["slo: { ttft_ms: -3 }", "1:17: slo.ttft_ms: -3: expected a number above 0"],
    ["a: [1\nb: 2", "2:1: not valid YAML: "],
    ["- 1", "1:1: expected a scenario: a block of settings"],
  ])("%s", (yaml, message) => {
    const error = errorOf(yaml);
    expect(error.message).toContain(message);
    expect(error.message.startsWith("dir/x.yaml:")).toBe(true);
    expect(error.message).not.toContain("\n");
  });

  it("shows the line with a caret below the place", () => {
    const error = errorOf("engine:\n  block_sise: 3\n");
    expect(error).toBeInstanceOf(ScenarioError);
    expect(error).toHaveProperty("excerpt", "    2 |   block_sise: 3\n          ^");
  });

  it.each([
    [{ decode_workers: 0 }, `${SOURCE}: 0: expected a whole number of at least 1`],
    [{ policy: "robin" }, `${SOURCE}: "robin" is not known`],
    [{ routing_threshold: -1 }, `${SOURCE}: -1 is not valid, expected a whole number of at least 0`],
    [{ "engine.block_sze": 16 }, `${SOURCE}: no setting engine.block_sze, did you mean "engine.block_size"?`],
    [{ "router.cach_threshold": 1 }, `${SOURCE}: there is no such setting, did you mean "cache_threshold"?`],
    [{ profile: "h100" }, `${SOURCE}: "h100": expected a built-in profile`],
  ])("and a wrong flag is named instead of the file: %o", (settings, message) => {
    expect(errorOf("name: x", settings).message).toContain(message);
  });
});

describe("a scenario written down", () => {
  const anyScenario = fc.record({
    fleet: fc.record({ prefill: fc.record({ workers: fc.integer({ min: 1, max: 9 }) }) }),
    engine: fc.record(
      {
        max_num_seqs: fc.integer({ min: 1, max: 512 }),
        num_gpu_blocks: fc.oneof(fc.integer({ min: 2, max: 1e6 }), fc.constant("unlimited")),
        enable_prefix_caching: fc.boolean(),
        vllm_version: fc.constantFrom("0.11", "0.19", "main-2026-08"),
      },
      { requiredKeys: [] },
    ),
    workload: fc.constantFrom({ trace: "t/a.jsonl" }, { generate: { kind: "lengths", rate: 3 } }, {}),
    router: fc.record(
      {
        policy: fc.constantFrom("random", "round_robin", "cache_aware", "least_loaded"),
        cache_threshold: fc.double({ min: 0, max: 1, noNaN: true }),
        decider: fc.constantFrom("always", "never", "threshold"),
      },
      { requiredKeys: [] },
    ),
    seed: fc.nat(),
  });

  it("reads back as the same scenario", () => {
    fc.assert(
      fc.property(anyScenario, (given) => {
        const scenario = resolved(JSON.stringify(given));
        const folder = "/some/folder";
        const again = parseScenarioSource(scenarioToYaml(scenario, folder), `${folder}/scenario.yaml`);
        expect(resolveScenario(again)).toEqual(scenario);
      }),
    );
  });

  it("states files by name in results, so that they do not depend on where the run was made", () => {
    expect(settingsOf(resolved("workload: { trace: deep/down/a.jsonl }")).workload.trace).toBe("a.jsonl");
  });
});

describe("the explanation of settings", () => {
  it("tells defaults, lines of the file and flags apart", () => {
    const yaml = "engine:\n  block_size: 32\nrouter: { policy: cache_aware, cache_threshold: 0.5 }";
    const source = parseScenarioSource(yaml, "x.yaml");
    const flags = [
      { setting: "decode_workers", value: 3, source: "--decode-workers" },
      { setting: "decode_policy", value: "random", source: "--decode-policy" },
    ];
    const explained = explainSettings(resolveWithOrigins(source, flags));
    const originOf = (setting: string): string | undefined =>
      explained.find((entry) => entry.setting === setting)?.origin;
    expect(originOf("engine.block_size")).toBe("x.yaml:2");
    expect(originOf("engine.max_num_seqs")).toBe("default");
    expect(originOf("fleet.decode.workers")).toBe("--decode-workers");
    expect(originOf("router.prefill_policy")).toBe("x.yaml:3");
    expect(originOf("router.decode_policy")).toBe("--decode-policy");
    expect(originOf("router.prefill.cache_threshold")).toBe("x.yaml:3");
    expect(originOf("router.prefill.balance_abs_threshold")).toBe("default");
    expect(originOf("router.decider.kind")).toBe("default");
  });
});
