import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { runProgram } from "../../src/cli/program.js";
import { captured } from "../support/captured.js";

const folder = mkdtempSync(join(tmpdir(), "pdbench-check-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const FLEET =
  "fleet: { prefill: { workers: 1, profile: llama-3.1-8b-h100-tp1-bf16 }, decode: { workers: 2 } }";
const TRACE =
  '{"arrival_s": 0, "input_tokens": 10, "output_tokens": 2}\n{"arrival_s": 3, "input_tokens": 20, "output_tokens": 2}\n';

function check(scenario: string, ...flags: string[]): ReturnType<typeof captured> {
  const path = join(folder, "mine.yaml");
  writeFileSync(path, `name: mine\n${FLEET}\n${scenario}`);
  return captured(() => runProgram(["simulate", path, "--check", ...flags]));
}

describe("pdbench simulate --check", () => {
  it("says what would be run, with the trace and the sweep, and runs nothing", async () => {
    writeFileSync(join(folder, "two.jsonl"), TRACE);
    const scenario = "workload: { trace: two.jsonl }\nsweep: { routing_threshold: [0, 8, 16], seeds: 2 }\n";
    const { status, stdout } = await check(scenario);
    expect(status).toBe(0);
    expect(stdout).toContain("mine: can be run; nothing was run");
    expect(stdout).toContain("2, the last after 3.00 s");
    expect(stdout).toContain("1 prefill and 2 decode workers");
    expect(stdout).toContain("3 points x 2 seeds = 6 runs");
    const json = await check(scenario, "--json", "--requests", "1");
    expect(JSON.parse(json.stdout)).toEqual({
      scenario: "mine",
      requests: 1,
      last_arrival_s: 0,
      workers: { prefill: 1, decode: 2 },
      sweep: { points: 3, seeds: 2 },
    });
  });

  it.each([
    [
      "a setting that there is none",
      "workload: { trace: two.jsonl }\nrouter: { polcy: random }\n",
      /mine\.yaml:4.*polcy/s,
    ],
    ["a trace that is not there", "workload: { trace: none.jsonl }\n", /none\.jsonl/],
    [
      "a sweep of nothing",
      "workload: { trace: two.jsonl }\nsweep: { routing_treshold: [0] }\n",
      /routing_treshold/,
    ],
    [
      "a request that has no room",
      "workload: { trace: huge.jsonl }\nengine: { num_gpu_blocks: 4 }\n",
      /fits no prefill worker/,
    ],
    ["no workload", "", /there is no workload/],
  ])("fails for %s, with status 2", async (_, scenario, message) => {
    writeFileSync(join(folder, "two.jsonl"), TRACE);
    writeFileSync(join(folder, "huge.jsonl"), '{"arrival_s": 0, "input_tokens": 5000, "output_tokens": 2}\n');
    const { status, stdout, stderr } = await check(scenario);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(message);
  });

  it("refuses flags of a run", async () => {
    const { status, stderr } = await check("", "--out", join(folder, "out"));
    expect(status).toBe(2);
    expect(stderr).toContain("--check: runs nothing, expected it without --out");
  });
});
