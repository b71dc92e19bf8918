/**
 * `npm run interval-coverage [SEEDS]`: how well the intervals of two single runs foretell what other seeds give (docs/metrics.md).
 * Runs the quickstart with 2,000 requests under `cache_aware` and `round_robin` for seeds 1 to SEEDS (30), compares the two runs
 * of each seed by themselves, and prints, for every figure, how many of the intervals hold its mean difference over the seeds.
 * Needs the build.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compareRunsSideBySide, type Difference } from "../src/report/comparison/compare.js";
import { readComparedRuns } from "../src/report/comparison/compared-runs.js";
import { readResults, type Results } from "../src/report/read-results.js";

const POLICIES = ["cache_aware", "round_robin"] as const;
const program = fileURLToPath(new URL("../bin/pdbench.js", import.meta.url));
const seeds = Number(process.argv[2] ?? 30);
if (!Number.isInteger(seeds) || seeds < 2) {
  process.stderr.write(`${process.argv[2]!}: expected a number of seeds, 2 or more\n`);
  process.exit(2);
}

/** The differences between the policies' runs under one seed. */
async function differencesOf(seed: number, folder: string): Promise<readonly Difference[]> {
  const runs: Extract<Results, { kind: "run" }>[] = [];
  for (const policy of POLICIES) {
    const out = join(folder, `seed-${seed}`, policy);
    const flags = ["--requests", "2000", "--policy", policy, "--seed", String(seed), "--out", out];
    execFileSync(process.execPath, [program, "simulate", "quickstart", ...flags], { stdio: "ignore" });
    const results = await readResults(out);
    if (results.kind === "run") runs.push(results);
  }
  const [held] = compareRunsSideBySide(await readComparedRuns(runs)).others;
  return held!.differences;
}

/** `TTFT mean  17 of 30`, or that the figure has no interval. */
function lineOf(all: readonly Difference[]): string {
  const { label } = all[0]!.metric;
  const known = all.flatMap(({ absolute }) =>
    absolute?.low == null || absolute.high === null
      ? []
      : { mean: absolute.mean, low: absolute.low, high: absolute.high },
  );
  if (known.length === 0) return `${label.padEnd(38)} no interval`;
  const mean = known.reduce((sum, one) => sum + one.mean, 0) / known.length;
  const held = known.filter(({ low, high }) => low <= mean && mean <= high).length;
  return `${label.padEnd(38)} ${held} of ${known.length}`;
}

const folder = mkdtempSync(join(tmpdir(), "pdbench-coverage-"));
try {
  const bySeed: (readonly Difference[])[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    bySeed.push(await differencesOf(seed, folder));
    process.stderr.write(`seed ${seed} of ${seeds}\n`);
  }
  const lines = bySeed[0]!.map((_, i) => lineOf(bySeed.map((differences) => differences[i]!)));
  process.stdout.write(`Intervals that hold the mean difference over ${seeds} seeds:\n${lines.join("\n")}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
