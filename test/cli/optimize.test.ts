import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { program } from "../support/built.js";

const folder = mkdtempSync(join(tmpdir(), "pdbench-test-"));
const place = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const oneThread = ["--workers", "1"];
const space = ["quickstart", "--requests", "60", "--seeds", "2", ...oneThread];
const halving = ["--min-requests", "20"];

describe("pdbench optimize", { timeout: 180_000 }, () => {
  it("recommends settings, says what it cost and how close it is to the grid, and resumes", async () => {
    await program(["sweep", ...space, "--out", place("grid")]);
    const search = ["optimize", ...space, ...halving, "--compare", place("grid"), "--out", place("best")];
    const first = await program(search);
    expect(first.status).toBe(0);
    expect(first.stdout).toMatch(/goodput\s+\S+\s+%\s+over\s+always-disaggregate,\s+95\s+%\s+interval/);
    expect(first.stdout).toMatch(
      /The search took \d+ runs, [\d,]+ simulated requests, [\d.]+ % of the whole\s+grid's/,
    );
    expect(first.stdout).toMatch(
      /the\s+grid\s+in\s+.*\s+it\s+is\s+number\s+\d\s+of\s+15|It\s+is\s+the\s+best\s+of\s+the\s+15\s+points/,
    );
    expect(Math.max(...first.stdout.split("\n").map((text) => text.length))).toBeLessThanOrEqual(100);
    expect(readdirSync(place("best")).sort()).toEqual([
      "optimize.json",
      "points.csv",
      "report.html",
      "report.md",
      "sweep.json",
      "trials.jsonl",
    ]);
    const before = readFileSync(join(place("best"), "optimize.json"), "utf8");
    const again = await program([...search, "--json"]);
    expect(again.stdout).toBe(before);
    expect(again.stderr).toMatch(/rung 1 of \d: 15\/15 runs/);
    const report = await program(["report", place("best"), "--out", place("report.html")]);
    expect(report.status).toBe(0);
    expect(report.stdout).toMatch(/The search took \d+ runs/);
  });

  it("finds the largest load", async () => {
    const load = ["--max-rate", "--tolerance", "0.3", "--requests", "150", "--seeds", "1", ...oneThread];
    const space = ["--routing-threshold", "1024,4096", "--policy", "cache_aware"];
    const out = ["--out", place("load")];
    const { status, stdout } = await program(["optimize", "quickstart", ...load, ...space, ...out]);
    expect(stdout).toMatch(
      /sustains speedup [\d.]+ \([\d.]+ requests\/s\) at an\s+SLO\s+attainment\s+of\s+90.0 %/,
    );
    expect(status).toBe(0);
    const again = await program(["report", place("load"), "--out", place("load.html")]);
    expect(again.stdout).toBe(stdout);
    expect(readFileSync(place("load.html"), "utf8")).toMatch(/<p>[^<]+ sustains speedup/);
  });

  it.each([
    [["--max-rate", "--eta", "4"], "--eta: applies to searches without --max-rate and --cheapest"],
    [["--tolerance", "0.1"], "--tolerance: applies to --max-rate"],
    [
      ["--max-rate", "--speedup", "1,2"],
      "--max-rate: varies the load itself (workload.speedup), expected no axis",
    ],
    [["--max-rate", "--set", "workload.concurrency=4"], "is a closed loop"],
    [["--compare", place("none")], "has no sweep.json"],
    [
      ["--cheapest", "--set", "slo.ttft_ms=null", "--set", "slo.tpot_ms=null"],
      "--cheapest: applies to scenarios with",
    ],
  ])("refuses %j", async (flags, message) => {
    const { status, stderr } = await program(["optimize", "quickstart", ...flags, "--out", place("x")]);
    expect(stderr).toContain(message);
    expect(status).toBe(2);
    expect(existsSync(join(place("x"), "optimize.json"))).toBe(false);
  });
});
