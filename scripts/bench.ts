/**
 * `npm run bench [-- --json] [-- --only TEXT] [-- --record] [-- --against REV]`: how fast pdbench is here and now.
 *
 * Every case runs in a process of its own, so that its peak memory is its own. Rates are per second of wall time and per
 * second of CPU time; the second says what the code needs, whatever else the machine does.
 *
 * - `--only TEXT`: cases whose name has TEXT in it.
 * - `--record`: adds the figures to `scripts/bench/history.json`.
 * - `--against REV`: measures another git revision as well, in turns with this one, and prints the ratios; without it
 *   they are against the latest record, which another machine may have made.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { BENCH_CASES } from "./bench/cases.js";
import { history, record, type Recorded } from "./bench/history.js";
import { median, type BenchFigures } from "./bench/measure.js";
import { inRevision, thisRevision } from "./bench/other-revision.js";

const TRACE =
  process.env["PDBENCH_BENCH_TRACE"] ??
  fileURLToPath(new URL("../../shared/data/traces/mooncake-conversation.jsonl", import.meta.url));
/** Turns of the two revisions with `--against`. */
const ROUNDS = 3;
const THIS = fileURLToPath(import.meta.url);

type Cases = Record<string, BenchFigures>;

const { values: flags } = parseArgs({
  options: {
    case: { type: "string" },
    only: { type: "string" },
    json: { type: "boolean" },
    record: { type: "boolean" },
    against: { type: "string" },
  },
});

if (flags.case !== undefined) {
  const benchCase = await BENCH_CASES[flags.case]!();
  const figures = await benchCase.run(existsSync(TRACE) ? TRACE : null);
  process.stdout.write(JSON.stringify({ ...figures, peak_mb: process.resourceUsage().maxRSS / 1024 }));
} else {
  await runSuite();
}

async function runSuite(): Promise<void> {
  const names = Object.keys(BENCH_CASES).filter((name) => name.includes(flags.only ?? ""));
  if (names.length === 0) throw new Error(`--only ${flags.only}: no such case, expected part of a name`);
  const cpu = cpus()[0]?.model ?? "unknown CPU";
  const { against } = flags;
  let cases: Cases = {};
  let other: { readonly what: string; readonly cases: Cases } | null = null;
  if (against === undefined) {
    for (const name of names) cases[name] = inChild(THIS, name) ?? {};
    const latest = history().at(-1);
    if (latest !== undefined) other = { what: `${latest.revision} of ${latest.date}`, cases: latest.cases };
  } else {
    const both = await inRevision(against, (script) => Promise.resolve(inTurns(names, script)));
    cases = both.here;
    other = { what: against, cases: both.there };
  }
  const entry: Recorded = { ...thisRevision(), node: process.version, cpu, cases };
  if (flags.record === true) record(entry);
  if (flags.json === true) process.stdout.write(`${JSON.stringify({ ...entry, against: other }, null, 2)}\n`);
  else print(entry, other);
}

/** Medians of both revisions, measured by turns so that what the machine does meanwhile meets both. */
function inTurns(names: readonly string[], otherScript: string): { here: Cases; there: Cases } {
  const here: Cases = {};
  const there: Cases = {};
  for (const name of names) {
    const runs = { here: [] as BenchFigures[], there: [] as BenchFigures[] };
    for (let round = 0; round < ROUNDS; round++) {
      const mine = inChild(THIS, name);
      const other = inChild(otherScript, name);
      if (mine !== null) runs.here.push(mine);
      if (other !== null) runs.there.push(other);
      if (other === null) break;
    }
    here[name] = medians(runs.here);
    there[name] = medians(runs.there);
  }
  return { here, there };
}

function medians(runs: readonly BenchFigures[]): BenchFigures {
  const names = Object.keys(runs[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, median(runs.map((run) => run[name]!))]));
}

/** The figures of a case, or null where it cannot be run: another revision may lack what it measures. */
function inChild(script: string, name: string): BenchFigures | null {
  process.stderr.write(`${name} ...\n`);
  const child = spawnSync(process.execPath, [...process.execArgv, script, "--case", name], {
    encoding: "utf8",
    env: { ...process.env, PDBENCH_BENCH_TRACE: TRACE },
    maxBuffer: 1 << 26,
    stdio: ["ignore", "pipe", script === THIS ? "inherit" : "ignore"],
  });
  if (child.status === 0) return JSON.parse(child.stdout) as BenchFigures;
  if (script === THIS) throw new Error(`bench case ${name} failed`);
  return null;
}

function print(
  { revision, node, cpu, cases }: Recorded,
  other: { readonly what: string; readonly cases: Cases } | null,
): void {
  console.log(`pdbench ${revision}, node ${node}, ${cpu}`);
  const last = other === null ? [] : [`/ ${other.what}`];
  const table = new Table({ head: ["case", "figure", "value", ...last], style: { head: [], border: [] } });
  for (const [name, figures] of Object.entries(cases)) {
    for (const [figure, value] of Object.entries(figures)) {
      const before = other?.cases[name]?.[figure];
      const ratio = before === undefined ? "" : `${(value / before).toFixed(2)} x`;
      const shown = value.toLocaleString("en", { maximumSignificantDigits: 3 });
      table.push([name, figure, shown, ...(other === null ? [] : [ratio])]);
    }
  }
  console.log(table.toString());
}
