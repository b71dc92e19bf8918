import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { program } from "../support/built.js";
import { pdbench, pdbenchUntil } from "./cli.js";

const folder = mkdtempSync(join(tmpdir(), "pdbench-test-"));
const place = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const scenario = place("small.yaml");
writeFileSync(
  scenario,
  `name: small
fleet: { profile: llama-3.1-8b-h100-tp1-bf16 }
workload: { generate: { kind: multi_turn_chat, rate: 10 }, requests: 50 }
slo: { ttft_ms: 1000 }
`,
);

/** Results without the time they took. */
function withoutTimes(json: string): unknown {
  return JSON.parse(json, (key, value: unknown) => (key === "simulator" ? undefined : value));
}

describe("pdbench simulate", () => {
  it("prints a table of at most 100 columns", async () => {
    const { status, stdout } = await pdbench(["simulate", scenario]);
    expect(status).toBe(0);
    expect(stdout).toContain("TTFT");
    expect(Math.max(...stdout.split("\n").map((text) => text.length))).toBeLessThanOrEqual(100);
  });

  it("says where a streamed run comes from, as of any other", async () => {
    const provenance = async (flags: readonly string[]): Promise<unknown> => {
      const { stdout } = await program(["simulate", scenario, "--json", ...flags]);
      const { versions, workload_hash: hash } = JSON.parse(stdout) as Record<string, unknown>;
      return { versions, hash };
    };
    const kept = await provenance([]);
    expect(kept).toMatchObject({ hash: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown });
    expect(await provenance(["--stream"])).toEqual(kept);
  });

  it("writes a run directory from which the run can be repeated to the byte", async () => {
    const first = place("run");
    const second = place("again");
    await program(["simulate", scenario, "--out", first, "--decisions", "--seed", "7"]);
    expect(readdirSync(first).sort()).toEqual([
      "decisions.jsonl",
      "requests.csv",
      "scenario.yaml",
      "summary.json",
      "timeline.csv",
    ]);
    const { status } = await program([
      "simulate",
      join(first, "scenario.yaml"),
      "--out",
      second,
      "--decisions",
    ]);
    expect(status).toBe(0);
    for (const name of ["decisions.jsonl", "requests.csv", "scenario.yaml", "timeline.csv"]) {
      expect(readFileSync(join(second, name), "utf8")).toBe(readFileSync(join(first, name), "utf8"));
    }
    const summaries = [first, second].map((run) =>
      withoutTimes(readFileSync(join(run, "summary.json"), "utf8")),
    );
    expect(summaries[1]).toEqual(summaries[0]);
    const decision: unknown = JSON.parse(
      readFileSync(join(first, "decisions.jsonl"), "utf8").split("\n")[0]!,
    );
    expect(decision).toMatchObject({ request: 0, decode: { worker: "decode-0", policy: "in_flight" } });
  });

  it("replaces the same run but nothing else", async () => {
    const run = place("same");
    await program(["simulate", scenario, "--out", run]);
    expect((await program(["simulate", scenario, "--out", run])).status).toBe(0);
    const other = await program(["simulate", scenario, "--out", run, "--seed", "9"]);
    expect(other).toMatchObject({ status: 2, stdout: "" });
    expect(other.stderr).toContain("holds another run, expected a new folder or the same settings");
    mkdirSync(place("mine"));
    writeFileSync(place("mine/thesis.tex"), "");
    const mine = await program(["simulate", scenario, "--out", place("mine")]);
    expect(mine.stderr).toContain("the folder is not empty");
    expect(readdirSync(place("mine"))).toEqual(["thesis.tex"]);
  });

  it("explains where each setting comes from, without running", async () => {
    const args = ["simulate", scenario, "--policy", "random", "--explain", "--json"];
    const settings = JSON.parse((await program(args)).stdout) as object[];
    expect(settings).toContainEqual({
      setting: "router.prefill_policy",
      value: "random",
      origin: "--policy",
    });
    expect(settings).toContainEqual({ setting: "slo.ttft_ms", value: 1000, origin: `${scenario}:4` });
    expect(settings).toContainEqual({ setting: "engine.block_size", value: 16, origin: "default" });
  });

  it("gives the same summary with plain time as with fast time, to rounding", async () => {
    const summary = async (...flags: readonly string[]) => {
      const { stdout } = await program(["simulate", scenario, "--json", ...flags]);
      return JSON.parse(stdout) as { ttft_ms: { mean: number }; requests: unknown; duration_s: number };
    };
    const fast = await summary();
    const plain = await summary("--plain-time");
    expect(plain.requests).toEqual(fast.requests);
    expect(plain.ttft_ms.mean).toBeCloseTo(fast.ttft_ms.mean, 6);
    expect(plain.duration_s).toBeCloseTo(fast.duration_s, 6);
  });

  it("warns of a setting of the file that changes nothing", async () => {
    const file = place("unused.yaml");
    writeFileSync(
      file,
      `${readFileSync(scenario, "utf8")}router:\n  policy: random\n  cache_threshold: 0.3\n`,
    );
    const { status, stderr } = await program(["simulate", file]);
    expect(status).toBe(0);
    expect(stderr).toContain(
      `${file}:7: router.cache_threshold changes nothing: it applies to policy cache_aware`,
    );
  });
});

describe("pdbench sweep", () => {
  const grid = ["sweep", scenario, "--routing-threshold", "0,500", "--seeds", "2"];

  it("writes results and a report, prints a table that ends in words, and resumes in no time", async () => {
    const out = place("sweep");
    const first = await program([...grid, "--out", out]);
    expect(first.status).toBe(0);
    expect(Math.max(...first.stdout.split("\n").map((text) => text.length))).toBeLessThanOrEqual(100);
    expect(readdirSync(out).sort()).toEqual([
      "points.csv",
      "points.jsonl",
      "report.html",
      "report.md",
      "sweep.json",
    ]);
    const before = readFileSync(join(out, "sweep.json"), "utf8");
    const second = await program([...grid, "--out", out, "--workers", "1"]);
    expect(second.stdout).toBe(first.stdout);
    expect(readFileSync(join(out, "sweep.json"), "utf8")).toBe(before);
  });

  it("goes on after it was killed outright", async () => {
    const out = place("killed");
    const long = [...grid, "--requests", "2000", "--out", out, "--workers", "1"];
    const killed = await pdbenchUntil(join(out, "points.jsonl"), "SIGKILL", long);
    expect(killed.status).toBe(null);
    expect(existsSync(join(out, "sweep.json"))).toBe(false);
    const resumed = await pdbench(long);
    expect(resumed.status).toBe(0);
    expect(resumed.stderr).toMatch(/going on after \d+ earlier runs|done in/);
    const whole = await program([...grid, "--requests", "2000", "--workers", "1", "--json"]);
    expect(withoutTimes(readFileSync(join(out, "sweep.json"), "utf8"))).toEqual(withoutTimes(whole.stdout));
  });

  it("ends with status 130 when it is interrupted, and tells what is saved", async () => {
    const out = place("interrupted");
    const long = [...grid, "--requests", "2000", "--out", out, "--workers", "1"];
    const { status, stderr } = await pdbenchUntil(join(out, "points.jsonl"), "SIGINT", long);
    expect(stderr).toMatch(
      /pdbench: interrupted: \d of 4 runs are done; they are in .*, the same command goes on/,
    );
    expect(status).toBe(130);
  });

  it("ends with status 1 when runs have failed, and has the others", async () => {
    const out = place("failed");
    const args = ["sweep", scenario, "--set", "engine.num_gpu_blocks=5,5000", "--workers", "1", "--out", out];
    const { status, stderr } = await program(args);
    expect(status).toBe(1);
    expect(stderr).toContain("pdbench: 1 of 2 runs failed, the first: workload: request");
    expect(existsSync(join(out, "sweep.json"))).toBe(true);
  });
});

describe("help and lists", () => {
  it.each(["simulate", "sweep", "optimize", "worker", "merge", "list", "report", "trace"])(
    "%s --help has examples",
    async (command) => {
      const { status, stdout, stderr } = await program([command, "--help"]);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).toContain("Examples:");
      expect(stdout).toContain(`$ pdbench ${command}`);
    },
  );

  it("--help lists every command", async () => {
    const { status, stdout } = await program(["--help"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/simulate[\s\S]*sweep[\s\S]*report[\s\S]*trace[\s\S]*list/);
  });

  it("--version prints the version of the package", async () => {
    const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
    expect((await program(["--version"])).stdout).toBe(`${version}\n`);
  });

  it.each(["policies", "deciders", "presets", "profiles", "scenarios", "trace-formats"])(
    "list %s --json is an array of name, summary and source",
    async (kind) => {
      const { status, stdout } = await program(["list", kind, "--json"]);
      expect(status).toBe(0);
      const listed = JSON.parse(stdout) as object[];
      expect(listed.length).toBeGreaterThan(kind === "presets" ? -1 : 2);
      const more = kind === "presets" ? ["models", "does_not_model"] : [];
      for (const entry of listed) expect(Object.keys(entry)).toEqual(["name", "summary", "source", ...more]);
    },
  );
});
