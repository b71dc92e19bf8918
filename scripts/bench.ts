/**
 * `npm run bench [-- --json] [-- --only NAME]`: how fast the simulator and the routing core are here and now.
 *
 * Every case runs in a process of its own, so that its peak memory is its own. Times are medians of several
 * runs after a warm-up; speeds compared with each other are measured in turns in one process.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import Table from "cli-table3";
import { BENCH_CASES, type BenchFigures } from "./bench/cases.js";

const TRACE =
  process.env["PDBENCH_BENCH_TRACE"] ??
  fileURLToPath(new URL("../../shared/data/traces/mooncake-conversation.jsonl", import.meta.url));

const args = process.argv.slice(2);

if (args[0] === "--case") {
  const figures = await BENCH_CASES[args[1]!]!.run(existsSync(TRACE) ? TRACE : null);
  process.stdout.write(JSON.stringify({ ...figures, peak_mb: process.resourceUsage().maxRSS / 1024 }));
} else {
  const only = args.includes("--only") ? args[args.indexOf("--only") + 1] : undefined;
  const names = Object.keys(BENCH_CASES).filter((name) => only === undefined || name === only);
  const results = names.map((name) => {
    process.stderr.write(`${name} ...\n`);
    return { name, figures: runInChild(name) };
  });
  if (args.includes("--json")) {
    const cases = Object.fromEntries(results.map(({ name, figures }) => [name, figures]));
    process.stdout.write(
      `${JSON.stringify({ node: process.version, cpu: cpus()[0]?.model, cases }, null, 2)}\n`,
    );
  } else {
    print(results);
  }
}

function runInChild(name: string): BenchFigures {
  const child = spawnSync(
    process.execPath,
    [...process.execArgv, fileURLToPath(import.meta.url), "--case", name],
    { encoding: "utf8", maxBuffer: 1 << 26, stdio: ["ignore", "pipe", "inherit"] },
  );
  if (child.status !== 0) throw new Error(`bench case ${name} failed`);
  return JSON.parse(child.stdout) as BenchFigures;
}

function print(results: readonly { readonly name: string; readonly figures: BenchFigures }[]): void {
  console.log(`node ${process.version}, ${cpus()[0]?.model ?? "unknown CPU"}, one thread`);
  const table = new Table({ head: ["case", "figure", "value"], style: { head: [], border: [] } });
  for (const { name, figures } of results) {
    for (const [figure, value] of Object.entries(figures)) {
      table.push([name, figure, value.toLocaleString("en", { maximumSignificantDigits: 3 })]);
    }
  }
  console.log(table.toString());
}
