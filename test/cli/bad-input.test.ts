import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { runProgram } from "../../src/cli/program.js";
import { captured } from "../support/captured.js";
import { pdbench } from "./cli.js";

const folder = mkdtempSync(join(tmpdir(), "pdbench-test-"));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const line = '{"arrival_s":0,"input_tokens":100,"output_tokens":5}\n';
const trace = file("good.jsonl", line.repeat(3));
const empty = file("empty.jsonl", "");
const bad = file("bad.jsonl", `${line}${line}{"arrival_s":0,"input_tokens":"many","output_tokens":5}\n`);
const scenario = file("good.yaml", "workload: { trace: good.jsonl }\n");
const unknownField = file("unknown-field.yaml", "name: x\nrouter:\n  cach_threshold: 0.3\n");
const noWorkers = file("no-workers.yaml", "fleet: { decode: { workers: 0 } }\n");
const out = join(folder, "out");

describe("wrong input is one clear line, status 2, and nothing is written", () => {
  it.each<[string, string[], string]>([
    [
      "an unknown policy",
      [scenario, "--policy", "cach_aware"],
      '--policy: "cach_aware" is not known, did you mean "cache_aware"?',
    ],
    [
      "a threshold below 0",
      [scenario, "--routing-threshold", "-1"],
      "--routing-threshold: -1 is not valid, expected a whole number of at least 0",
    ],
    ["an empty trace", ["--trace", empty], `${empty}: no requests`],
    ["a trace with a bad line", ["--trace", bad], `${bad}:3: field "input_tokens": got "many"`],
    ["a missing trace", ["--trace", join(folder, "none.jsonl")], "none.jsonl: no such file"],
    [
      "a prompt larger than a worker's KV",
      [scenario, "--set", "engine.num_gpu_blocks=5"],
      "workload: request 0 (100 prompt tokens) fits no prefill worker: its 100 tokens of KV need 7 blocks, the engine has 4",
    ],
    [
      "0 workers",
      [scenario, "--decode-workers", "0"],
      "--decode-workers: 0: expected a whole number of at least 1",
    ],
    ["0 workers in the file", [noWorkers], `${noWorkers}:1:29: fleet.decode.workers: 0: expected`],
    [
      "an unknown field",
      [unknownField],
      `${unknownField}:3:3: router.cach_threshold: there is no such setting, did you mean "cache_threshold"?`,
    ],
    ["a missing scenario", [join(folder, "none.yaml")], "none.yaml: no such scenario file"],
    ["no workload", ["default"], "there is no workload: give --trace FILE"],
    ["an unknown flag", [scenario, "--polcy", "random"], "unknown option '--polcy', did you mean --policy?"],
    [
      "a flag that does not apply",
      [scenario, "--policy", "round_robin", "--cache-threshold", "0.1"],
      "--cache-threshold: applies to policy cache_aware",
    ],
    [
      "a list where one value is wanted",
      [scenario, "--policy", "random,round_robin"],
      "expected one value here",
    ],
    [
      "an unknown setting",
      [scenario, "--set", "engine.max_seqs=4"],
      "--set engine.max_seqs: no setting engine.max_seqs, did you mean",
    ],
  ])("%s", async (_, args, message) => {
    const { status, stdout, stderr } = await captured(() => runProgram(["simulate", ...args, "--out", out]));
    expect(stderr).toContain(message);
    // A line of a scenario file comes with an excerpt below.
    expect(
      stderr
        .trimEnd()
        .split("\n")
        .filter((text) => !/^ *(\d+ \||\^)/.test(text)),
    ).toHaveLength(1);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(existsSync(out)).toBe(false);
  });

  it.each<[string[], string]>([
    [["sweep", scenario, "--policy", "random,robin", "--out", out], '--policy: "robin" is not known'],
    [["sweep", "--trace", empty, "--out", out], "no requests"],
    [["sweep", "--trace", join(folder, "none.jsonl"), "--out", out], "none.jsonl: no such file"],
    [["sweep", scenario, "--workers", "0"], "--workers: got 0, expected a whole number of at least 1"],
    [["sweep", scenario, "--seeds", "none"], "--seeds: none: expected how many seeds"],
    [
      ["sweep", scenario, "--routing-threshold", "0:10"],
      "--routing-threshold: got 0:10, expected a list a,b,c or a range START:END:STEP",
    ],
    [["serve", folder, "--port", "99999"], "--port: got 99999, expected a port from 1 to 65535, or 0"],
    [["proxy", "--decode", "http://127.0.0.1:1", "--port", "99999"], "--port: got 99999, expected a port"],
    [["trace", "convert", empty], "see pdbench trace convert --help"],
    [["sweep", scenario, "--keep-runs"], "--keep-runs: applies to --out, which is not given"],
    [["simulate", scenario, "--decisions"], "--decisions: applies to --out, which is not given"],
    [["simulate", scenario, "--stream", "--out", out, "--decisions"], "--stream: with --decisions"],
    [
      ["simulate", scenario, "--decider", "never", "--prefill-policy", "random"],
      "--prefill-policy: changes nothing, because decider never gives no request a prefill worker",
    ],
    [
      ["simulate", scenario, "--policy", "random", "--set", "router.session_key_reaches=none"],
      "--set router.session_key_reaches: changes nothing, because no policy in force looks at session keys",
    ],
    [["simulat"], 'simulat: unknown command, did you mean "simulate"?'],
    [["list", "polices"], 'list polices: unknown kind, did you mean "policies"?'],
    [[], "expected a command"],
  ])("%j", async (args, message) => {
    const { status, stderr } = await captured(() => runProgram(args));
    expect(stderr).toContain(message);
    expect(stderr.trimEnd().split("\n").length === 1 || args.length === 0).toBe(true);
    expect(status).toBe(2);
    expect(existsSync(out)).toBe(false);
  });
});

describe("a trace given by a flag", () => {
  it("is looked for where the command is run", async () => {
    const { status, stdout } = await pdbench(["simulate", "--trace", "good.jsonl", "--json"], folder);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ requests: { total: 3, completed: 3 } });
    expect(trace).toContain("good.jsonl");
  });
});
