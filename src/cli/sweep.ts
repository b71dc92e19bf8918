import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { InputError } from "../errors.js";
import { writeWhole } from "../report/write-report.js";
import { findScenario } from "../scenario/load.js";
import { holdingDirectory } from "../sweep/directory-lock.js";
import { identify, type SweepIdentity } from "../sweep/fingerprint.js";
import { planSweep, type SweepPlan } from "../sweep/plan.js";
import { runShard, runSweep, type SweepOptions } from "../sweep/run-sweep.js";
import { parseShard, SHARD_FILE, type Shard, type SweepShard } from "../sweep/shards.js";
import { checkSweepFolder } from "../sweep/sweep-log.js";
import { addExecutorFlags, executorOf, type ExecutorOptions } from "./executor-flags.js";
import { listenForInterruption } from "./interruption.js";
import { shareFlag } from "./number-flags.js";
import { addOverrideFlags, typedSettings } from "./override-flags.js";
import { checkSlo } from "./slo-check.js";
import { deliverSweep, failOnFailedRuns } from "./sweep-output.js";
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
  $ pdbench sweep quickstart --shard 1/4 --out out/shard-1     (on another machine: 2/4 ...; then pdbench merge)
  $ pdbench sweep quickstart --executor bullmq --redis redis://queue:6379 --out out/quickstart
`;

interface SweepFlags extends ExecutorOptions {
  readonly seeds?: string;
  readonly out?: string;
  readonly stopBelow?: number;
  readonly shard?: Shard;
  readonly keepRuns?: true;
  readonly json?: true;
}

/** `pdbench sweep [SCENARIO]`: a grid over settings x seeds. */
export function sweepCommand(): Command {
  const command = new Command("sweep")
    .description("Runs a scenario over a grid of settings and several seeds, and says which settings to use.")
    .argument("[scenario]", "scenario file or name; without it, the default fleet and --trace")
    .option("--seeds <N>", "how many seeds per point, or a list of them (default: the scenario's, or 1)")
    .option("--out <DIR>", "keep results there as they come: sweep.json, points.csv, report");
  addExecutorFlags(command)
    .option("--shard <I/N>", "with --out: one of N equal shares of the points (pdbench merge)", parseShard)
    .option(
      "--stop-below <SHARE>",
      "stop runs that can no longer reach this SLO attainment, 0..1; the result says which",
      shareFlag("--stop-below"),
    )
    .option("--keep-runs", "with --out: also every run's own directory, below runs/")
    .option("--json", "print sweep.json instead of a table");
  addOverrideFlags(command);
  return command
    .addHelpText("after", EXAMPLES)
    .action((scenario: string | undefined, flags: SweepFlags) =>
      sweepScenario(scenario ?? null, flags, command),
    );
}

async function sweepScenario(name: string | null, flags: SweepFlags, command: Command): Promise<void> {
  checkTogether(flags);
  const plan = planSweep(findScenario(name), typedSettings(command), flags.seeds ?? null);
  for (const warning of plan.warnings) process.stderr.write(`pdbench: warning: ${warning}\n`);
  if (flags.stopBelow !== undefined) checkSlo(plan, "--stop-below");
  const execute = await executorOf(flags, command);
  // Before the folder is touched: what is wrong with the input leaves nothing behind.
  const identity = await identify(plan, flags.stopBelow ?? null);
  const { out } = flags;
  const run = (): Promise<void> => runAndDeliver(plan, identity, flags, execute);
  if (out === undefined) return run();
  checkSweepFolder(out);
  await holdingDirectory(out, run);
}

async function runAndDeliver(
  plan: SweepPlan,
  identity: SweepIdentity,
  { out, keepRuns, stopBelow, shard, json }: SweepFlags,
  execute: SweepOptions["execute"],
): Promise<void> {
  const interruption = listenForInterruption();
  const display = progressDisplay(process.stderr);
  const options: SweepOptions = {
    directory: out ?? null,
    keepRuns: keepRuns === true,
    stopBelow: stopBelow ?? null,
    identity,
    execute,
    signal: interruption.signal,
    onProgress: (progress) => display.update(progress),
  };
  try {
    if (shard === undefined) {
      const sweep = await runSweep(plan, options);
      display.stop();
      await deliverSweep(sweep, out ?? null, json === true);
    } else {
      checkNoOtherShard(out!, shard);
      const found = await runShard(plan, shard, options);
      display.stop();
      await deliverShard(found, out!);
    }
  } finally {
    display.stop();
    interruption.end();
  }
}

async function deliverShard(found: SweepShard, out: string): Promise<void> {
  await writeWhole(join(out, SHARD_FILE), `${JSON.stringify(found)}\n`);
  const { index, count } = found.shard;
  process.stderr.write(
    `Shard ${index}/${count}: ${found.points.length} points are in ${join(out, SHARD_FILE)}; ` +
      "`pdbench merge` puts all shards together\n",
  );
  failOnFailedRuns(found.points);
}

/** @throws InputError for flags that need another one, or exclude one another */
function checkTogether({ out, keepRuns, shard, json, executor }: SweepFlags): void {
  if (keepRuns === true && out === undefined) {
    throw new InputError("--keep-runs: applies to --out, which is not given");
  }
  if (keepRuns === true && executor === "bullmq") {
    throw new InputError(
      "--keep-runs: applies to --executor local; runs on other machines leave summaries only",
    );
  }
  if (shard === undefined) return;
  if (out === undefined)
    throw new InputError("--shard: expected --out DIR as well, for `pdbench merge` to read");
  if (json === true)
    throw new InputError("--json: a shard has no result of its own; `pdbench merge` takes --json");
}

function checkNoOtherShard(out: string, { index, count }: Shard): void {
  const path = join(out, SHARD_FILE);
  if (!existsSync(path)) return;
  const { shard } = JSON.parse(readFileSync(path, "utf8")) as SweepShard;
  if (shard.index === index && shard.count === count) return;
  throw new InputError(
    `--out ${out}: holds shard ${shard.index}/${shard.count}, expected a folder of its own for ${index}/${count}`,
  );
}
