import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { program } from "../support/built.js";
import { BIN } from "./cli.js";

const folder = mkdtempSync(join(tmpdir(), "pdbench-test-"));
const place = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sweep = ["sweep", "quickstart", "--requests", "40", "--seeds", "2"];
const oneThread = ["--workers", "1"];

describe("pdbench sweep --shard and pdbench merge", { timeout: 180_000 }, () => {
  it("give the bytes of the sweep in one piece", async () => {
    const whole = await program([...sweep, "--out", place("whole")]);
    const shards = ["1", "2"].map((index) => place(`shard-${index}`));
    for (const [index, out] of shards.entries()) {
      const { status, stdout, stderr } = await program([
        ...sweep,
        ...oneThread,
        "--shard",
        `${index + 1}/2`,
        "--out",
        out,
      ]);
      expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
      expect(stderr).toContain(`Shard ${index + 1}/2: ${7 + index} points are in`);
      expect(readdirSync(out).sort()).toEqual(["points.jsonl", "shard.json"]);
    }
    const merged = await program(["merge", ...shards.toReversed(), "--out", place("merged")]);
    expect(merged.status).toBe(0);
    expect(merged.stdout).toBe(whole.stdout);
    for (const file of ["sweep.json", "points.csv", "report.md", "report.html"]) {
      expect(readFileSync(join(place("merged"), file), "utf8")).toBe(
        readFileSync(join(place("whole"), file), "utf8"),
      );
    }
    const missing = await program(["merge", shards[0]!]);
    expect(missing).toMatchObject({ status: 2, stdout: "" });
    expect(missing.stderr).toContain("shards are missing: 2/2; expected the directories of all 2");
    const other = await program([...sweep, "--shard", "2/2", "--out", shards[0]!]);
    expect(other.status).toBe(2);
    expect(other.stderr).toContain("holds shard 1/2, expected a folder of its own for 2/2");
  });

  it.each([
    [["--shard", "1/3"], "--shard: expected --out DIR as well"],
    [["--shard", "1/3", "--out", place("x"), "--json"], "--json: a shard has no result of its own"],
    [["--stop-below", "0"], "--stop-below: got 0, expected a share above 0"],
    [["--redis", "redis://localhost"], "--redis: applies to --executor bullmq"],
    [["--executor", "bullmq"], "--executor bullmq: expected --redis URL"],
    [
      ["--executor", "bullmq", "--redis", "redis://h", "--workers", "2"],
      "--workers: applies to --executor local",
    ],
    [
      ["--executor", "bullmq", "--keep-runs", "--out", place("x")],
      "--keep-runs: applies to --executor local",
    ],
    [
      ["--set", "slo.ttft_ms=null", "--set", "slo.tpot_ms=null", "--stop-below", "0.9"],
      "expected slo.ttft_ms",
    ],
  ])("refuse %j", async (flags, message) => {
    const { status, stderr } = await program([...sweep, ...flags]);
    expect(stderr).toContain(message);
    expect(status).toBe(2);
    expect(existsSync(place("x"))).toBe(false);
  });

  it("say where a Redis server cannot be reached", async () => {
    const { status, stderr } = await program([
      ...sweep,
      "--executor",
      "bullmq",
      "--redis",
      "redis://u:pw@127.0.0.1:1",
    ]);
    expect(stderr).toContain("cannot reach Redis at redis://u:***@127.0.0.1:1: connect ECONNREFUSED");
    expect(status).toBe(1);
  });
});

describe("two sweeps into one folder", { timeout: 180_000 }, () => {
  it("are kept apart while the first is at work", async () => {
    const out = place("twice");
    const long = ["sweep", "quickstart", "--requests", "20000", "--workers", "1", "--out", out];
    const first = spawn(process.execPath, [BIN, ...long], { stdio: "ignore" });
    while (!existsSync(join(out, "in-use.lock"))) await new Promise((resolve) => setTimeout(resolve, 5));
    const second = await program(long);
    first.kill("SIGKILL");
    await once(first, "exit");
    expect(second.stderr).toContain(`--out ${out}: process ${first.pid} on`);
    expect(second.status).toBe(2);
    // What the killed one left behind keeps nobody out.
    const other = await program([...sweep, ...oneThread, "--out", out]);
    expect(other.stderr).not.toContain("is writing there");
  });
});
