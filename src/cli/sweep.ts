import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import { InputError, WorkError } from "../errors.js";
import { renderSweepTable } from "../report/render-sweep-table.js";
import { terminalOptionsOf } from "../report/terminal-style.js";
import { reportOnSweep, reportText, writeWhole } from "../report/write-report.js";
import { findScenario } from "../scenario/load.js";
import { localExecutor } from "../sweep/local-executor.js";
import { planSweep } from "../sweep/plan.js";
import { pointsCsv } from "../sweep/points-csv.js";
import { runSweep } from "../sweep/run-sweep.js";
import type { SweepResult } from "../sweep/sweep-result.js";
import { wholeNumberFlag } from "./number-flags.js";
import { addOverrideFlags, typedSettings } from "./override-flags.js";
import { progressDisplay } from "./sweep-progress.js";

const EXAMPLES = `
SCENARIO is a file, or the name of one that comes with pdbench (pdbench list scenarios). Every flag for a setting
takes a list \`a,b,c\` or a range \`START:END:STEP\` or \`START:END:xFACTOR\`; the grid is their product with the axes of
the scenario's \`sweep\` block. An interrupted sweep goes on where it was when the same command is given again.

Examples:
  $ pdbench sweep quickstart --out out/quickstart
  $ pdbench sweep conversation-4p4d --trace mooncake-conversation.jsonl --routing-threshold 0,512:16384:x2 \\
      --policy round_robin,cache_aware --seeds 3 --out out/threshold
  $ pdbench sweep quickstart --set engine.max_num_batched_tokens=2048,8192 --prefill-workers 2:6:2
`;

interface SweepOptions {
  readonly seeds?: string;
  readonly out?: string;
  readonly workers: number;
  readonly keepRuns?: true;
  readonly json?: true;
}

/** `pdbench sweep [SCENARIO]`: a grid over settings x seeds. */
export function sweepCommand(): Command {
  const command = new Command("sweep")
    .description("Runs a scenario over a grid of settings and several seeds, and says which settings to use.")
    .argument("[scenario]", "scenario file or name; without it, the default fleet and --trace")
    .option("--seeds <N>", "how many seeds per point, or a list of them (default: the scenario's, or 1)")
    .option("--out <DIR>", "keep results there as they come: sweep.json, points.csv, report")
    .option("--workers <N>", "threads", wholeNumberFlag("--workers", 1), availableParallelism())
    .addOption(new Option("--executor <NAME>", "where runs take place").choices(["local"]).default("local"))
    .option("--keep-runs", "with --out: also every run's own directory, below runs/")
    .option("--json", "print sweep.json instead of a table");
  addOverrideFlags(command);
  return command
    .addHelpText("after", EXAMPLES)
    .action((scenario: string | undefined, options: SweepOptions) =>
      sweepScenario(scenario ?? null, options, command),
    );
}

async function sweepScenario(name: string | null, options: SweepOptions, command: Command): Promise<void> {
  if (options.keepRuns === true && options.out === undefined) {
    throw new InputError("--keep-runs: applies to --out, which is not given");
  }
  const plan = planSweep(findScenario(name), typedSettings(command), options.seeds ?? null);
  for (const warning of plan.warnings) process.stderr.write(`pdbench: warning: ${warning}\n`);
  const interruption = listenForInterruption();
  const display = progressDisplay(process.stderr);
  try {
    const sweep = await runSweep(plan, {
      directory: options.out ?? null,
      keepRuns: options.keepRuns === true,
      execute: localExecutor(options.workers),
      signal: interruption.signal,
      onProgress: (progress) => display.update(progress),
    });
    display.stop();
    await deliver(sweep, options);
  } finally {
    display.stop();
    interruption.end();
  }
}

/** Signals reach a process twice when npm passes them on; only a later one means "right now". */
const MS_BETWEEN_INTERRUPTS = 1000;

/** The first SIGINT aborts `signal`, so that the sweep ends in order; another ends the process. */
function listenForInterruption(): { readonly signal: AbortSignal; readonly end: () => void } {
  const interruption = new AbortController();
  let firstMs = Infinity;
  const onInterrupt = (): void => {
    if (performance.now() - firstMs > MS_BETWEEN_INTERRUPTS) process.exit(130);
    firstMs = Math.min(firstMs, performance.now());
    interruption.abort();
  };
  process.on("SIGINT", onInterrupt);
  return { signal: interruption.signal, end: () => process.off("SIGINT", onInterrupt) };
}

/** Writes and prints what a sweep found. @throws WorkError at the end when runs have failed. */
async function deliver(sweep: SweepResult, { out, json }: SweepOptions): Promise<void> {
  const report = reportOnSweep(sweep);
  if (out !== undefined) {
    await writeWhole(join(out, "points.csv"), pointsCsv(sweep));
    await writeWhole(join(out, "report.md"), await reportText(report, "md"));
    await writeWhole(join(out, "report.html"), await reportText(report, "html"));
    await writeWhole(join(out, "sweep.json"), sweepJson(sweep));
  }
  process.stdout.write(
    json === true
      ? sweepJson(sweep)
      : renderSweepTable(sweep, report.recommendation, terminalOptionsOf(process.stdout, process.env)),
  );
  if (out !== undefined) process.stderr.write(`Report: ${join(out, "report.html")}\n`);
  failOnFailedRuns(sweep);
}

function failOnFailedRuns({ points }: SweepResult): void {
  const runs = points.flatMap((point) => point.runs);
  const failed = runs.filter(({ error }) => error !== null);
  if (failed.length === 0) return;
  throw new WorkError(`${failed.length} of ${runs.length} runs failed, the first: ${failed[0]!.error!}`);
}

function sweepJson(sweep: SweepResult): string {
  return `${JSON.stringify(sweep, null, 1)}\n`;
}
