import { describe, expect, it } from "vitest";
import { checksOf, checksText, type Check, type MachineFacts } from "../../src/cli/doctor-checks.js";
import { runProgram } from "../../src/cli/program.js";
import { captured } from "../support/captured.js";

const GIB = 2 ** 30;

const GOOD: MachineFacts = {
  pdbenchVersion: "1.2.3",
  nodeVersion: "22.4.0",
  nodeWanted: ">=20.19.0",
  cores: 8,
  memoryBytes: 16 * GIB,
  freeMemoryBytes: 8 * GIB,
  heapLimitBytes: 4 * GIB,
  writable: [{ folder: "/home/me", problem: null }],
  chromium: "/usr/bin/chromium",
  redisServer: "/usr/bin/redis-server",
  redisUrl: null,
  zeromq: true,
  terminal: { isTerminal: true, columns: 100, colour: true },
  sharedData: "/data",
  trial: { requests: 200, wallS: 0.04 },
};

const stateOf = (name: string, facts: Partial<MachineFacts>): Check =>
  checksOf({ ...GOOD, ...facts }).find((check) => check.name === name)!;

describe("the checks of pdbench doctor", () => {
  it("have nothing to say of a good machine", () => {
    const checks = checksOf(GOOD);
    expect(checks.filter(({ state, next }) => state !== "ok" || next !== null)).toEqual([]);
    expect(checksText(checks).split("\n")).toContain("ok       node          22.4.0");
  });

  it.each([
    ["20.19.0", "ok"],
    ["20.20.0", "ok"],
    ["22.0.0", "ok"],
    ["20.18.3", "problem"],
    ["18.20.0", "problem"],
  ])("node %s is %s where 20.19.0 is wanted", (nodeVersion, state) => {
    expect(stateOf("node", { nodeVersion }).state).toBe(state);
  });

  it.each<[string, Partial<MachineFacts>, Check["state"], string]>([
    ["cores", { cores: 1 }, "note", "one point at a time"],
    ["memory", { freeMemoryBytes: GIB / 2 }, "note", "--workers 1"],
    ["heap limit", { heapLimitBytes: GIB }, "note", "--max-old-space-size"],
    ["write access", { writable: [{ folder: "/", problem: "EACCES" }] }, "problem", "in another folder"],
    ["trial run", { trial: { problem: "no such file" } }, "problem", "npm ci"],
    ["terminal", { terminal: { isTerminal: true, columns: 60, colour: true } }, "note", "80 columns"],
    ["redis", { redisServer: null }, "note", "docs/sweeps.md"],
    ["zeromq", { zeromq: false }, "note", "npm install zeromq"],
    ["chromium", { chromium: null }, "note", "apt install chromium"],
    ["shared data", { sharedData: null }, "note", "README"],
  ])("%s: %j is a %s and says what to do", (name, facts, state, next) => {
    const check = stateOf(name, facts);
    expect(check.state).toBe(state);
    expect(check.next).toContain(next);
    expect(checksText([check])).toMatch(/\n +-> /);
  });

  it("take a Redis that the environment names for one", () => {
    expect(stateOf("redis", { redisServer: null, redisUrl: "redis://queue:6379" })).toMatchObject({
      state: "ok",
      found: "PDBENCH_REDIS_URL is set",
    });
  });
});

describe("pdbench doctor", () => {
  it("finds that this machine, which runs the tests, can run pdbench", async () => {
    const { status, stdout } = await captured(() => runProgram(["doctor", "--json"]));
    const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: Check[] };
    expect({ status, ok }).toEqual({ status: 0, ok: true });
    expect(checks.find(({ name }) => name === "trial run")!.found).toMatch(/^200 requests simulated/);
    expect(checks.find(({ name }) => name === "node")!.found).toBe(process.versions.node);
  });

  it("ends with status 1 where a folder cannot be written", async () => {
    const before = process.env["TMPDIR"];
    process.env["TMPDIR"] = "/nowhere/at/all";
    try {
      const { status, stdout, stderr } = await captured(() => runProgram(["doctor"]));
      expect(status).toBe(1);
      expect(stdout).toMatch(/problem {2}write access {2}\/nowhere\/at\/all: /);
      expect(stderr).toContain("pdbench: doctor: write access: see what to do above");
    } finally {
      if (before === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = before;
    }
  });
});
