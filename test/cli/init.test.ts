import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { afterAll, describe, expect, it } from "vitest";
import { runProgram } from "../../src/cli/program.js";
import { parseScenarioSource } from "../../src/scenario/scenario-source.js";
import { FINDS, STARTER_QUESTIONS, type StarterAnswers } from "../../src/scenario/starter-questions.js";
import { starterYaml } from "../../src/scenario/starter-yaml.js";
import { planRun, planSweep } from "../../src/sweep/plan.js";
import { GENERATORS } from "../../src/workload/generators/generators.js";
import { captured } from "../support/captured.js";

const folder = mkdtempSync(join(tmpdir(), "pdbench-init-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const place = (name: string): string => join(folder, name);
const init = (...args: string[]): ReturnType<typeof captured> =>
  captured(() => runProgram(["init", "--yes", ...args]));

const DEFAULTS = Object.fromEntries(
  STARTER_QUESTIONS.map(({ key, initial, parse }) => [key, parse(initial)]),
) as unknown as StarterAnswers;

describe("the scenario of pdbench init", () => {
  const variants: [string, Partial<StarterAnswers>][] = [
    ...FINDS.map((find): [string, Partial<StarterAnswers>] => [`find ${find}`, { find }]),
    ...GENERATORS.map(({ name }): [string, Partial<StarterAnswers>] => [name, { kind: name }]),
    ["a trace of an awkward name", { trace: "a, {b}: #c.jsonl" }],
    ["a name that is a number", { name: "12" }],
    ["a profile file in a folder with a comma", { profile: fileURLToPath(import.meta.url), name: "a: b" }],
  ];

  it.each(variants)("is a run and a sweep without a warning: %s", (_, changed) => {
    const answers = { ...DEFAULTS, ...changed };
    const source = parseScenarioSource(starterYaml(answers, "scenario.schema.json"), "x.yaml");
    const { resolution, warnings } = planRun(source, []);
    expect(warnings).toEqual([]);
    const plan = planSweep(source, [], null);
    expect(plan.warnings).toEqual([]);
    expect(plan.points.length).toBeGreaterThan(2);
    const { scenario } = resolution;
    expect(scenario).toMatchObject({
      name: answers.name,
      fleet: { prefill: { workers: answers.prefillWorkers }, decode: { profile: answers.profile } },
      network: { kv_transfer: { bandwidth_gbps: answers.bandwidthGbps } },
      slo: { ttft_ms: answers.ttftMs, tpot_ms: answers.tpotMs },
    });
    if (answers.trace !== null) expect(scenario.workload.trace).toMatch(/a, \{b\}: #c\.jsonl$/);
  });
});

describe("pdbench init", () => {
  it("writes with --yes what the flags say, and what is written runs", async () => {
    const out = place("flags.yaml");
    const flags = ["--prefill-workers", "2", "--decode-workers", "3", "--requests", "50", "--find", "policy"];
    const { status, stdout, stderr } = await init("--out", out, ...flags);
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
    expect(stderr).toContain(`pdbench sweep ${out}`);
    const run = await captured(() => runProgram(["simulate", out, "--json"]));
    expect(JSON.parse(run.stdout)).toMatchObject({ requests: { total: 50, completed: 50 } });
    expect(parse(readFileSync(out, "utf8"))).toMatchObject({
      sweep: { policy: expect.any(Array) as unknown },
    });
  });

  it("replaces a file only with --force", async () => {
    const out = place("mine.yaml");
    writeFileSync(out, "name: mine\n");
    const refused = await init("--out", out);
    expect(refused).toMatchObject({ status: 2, stdout: "" });
    expect(refused.stderr).toContain(`--out ${out}: exists already, expected a new name, or --force`);
    expect(readFileSync(out, "utf8")).toBe("name: mine\n");
    expect((await init("--out", out, "--force")).status).toBe(0);
    expect(readFileSync(out, "utf8")).toContain("name: my-fleet");
  });

  it("takes a trace relative to where it is run, and writes it relative to the scenario", async () => {
    const trace = place("traffic.jsonl");
    writeFileSync(trace, '{"arrival_s":0,"input_tokens":100,"output_tokens":5}\n');
    const out = place("with-trace.yaml");
    expect((await init("--trace", trace, "--out", out)).status).toBe(0);
    expect(parse(readFileSync(out, "utf8"))).toMatchObject({ workload: { trace: "traffic.jsonl" } });
    expect((await captured(() => runProgram(["simulate", out, "--json"]))).status).toBe(0);
  });

  it.each([
    [["--profile", "llama-3.1-8b-h100"], "--profile: got llama-3.1-8b-h100, expected a built-in profile"],
    [["--decode-workers", "0"], "--decode-workers: got 0, expected a whole number of at least 1"],
    [["--rate", "fast"], "--rate: got fast, expected a number above 0"],
    [
      ["--find", "treshold"],
      '--find: got treshold, expected one of threshold, policy, preset, did you mean "threshold"?',
    ],
    [["--trace", "none.jsonl"], "--trace: none.jsonl: no such file"],
    [
      ["--trace", "x.jsonl", "--kind", "mixed"],
      "--kind: applies to generated traffic, not with --trace x.jsonl",
    ],
    [["--profile", "none.yaml"], "a profile file that exists"],
  ])("refuses %j and writes nothing", async (flags, message) => {
    const out = place("never.yaml");
    const { status, stderr } = await init("--out", out, ...flags);
    expect(stderr).toContain(message);
    expect(status).toBe(2);
    expect(existsSync(out)).toBe(false);
  });

  it("asks again after an answer it cannot use, and takes defaults for empty lines", async () => {
    const out = place("asked.yaml");
    const answers = ["chat", "", "none", "2", "", "", "", "multi_turn_chat", "3", "", "500", "", "policy"];
    const { status, stderr } = await typed(
      ["init", "--out", out],
      answers.map((line) => `${line}\n`).join(""),
    );
    expect(stderr).toContain("Prefill workers [4]: ");
    expect(stderr).toContain("  got none, expected a whole number of at least 1");
    expect(status).toBe(0);
    expect(parse(readFileSync(out, "utf8"))).toMatchObject({
      name: "chat",
      fleet: { prefill: { workers: 2 }, decode: { workers: 4 } },
      workload: { generate: { kind: "multi_turn_chat", rate: 3 }, requests: 2000 },
      slo: { ttft_ms: 500, tpot_ms: 50 },
    });
  });

  it("says what to do where the input ends before the answers", async () => {
    const { status, stderr } = await typed(["init", "--out", place("ended.yaml")], "");
    expect(status).toBe(2);
    expect(stderr).toContain("--name: the input ended before it was answered, expected the flag, or --yes");
  });
});

/** Runs the command line with `text` on its standard input. */
function typed(args: readonly string[], text: string): Promise<{ status: number | null; stderr: string }> {
  const bin = fileURLToPath(new URL("../../bin/pdbench.js", import.meta.url));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...args]);
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdout.resume();
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, stderr }));
    child.stdin.end(text);
  });
}
