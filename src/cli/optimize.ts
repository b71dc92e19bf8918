import { join } from "node:path";
import { Command, Option } from "commander";
import { InputError } from "../errors.js";
import { METRIC_NAMES, metricNamed } from "../report/metrics.js";
import { reportOnSweep, searchAnswer, writeWhole } from "../report/write-report.js";
import { writeSweep } from "../report/write-sweep.js";
import { findScenario } from "../scenario/load.js";
import { holdingDirectory } from "../sweep/directory-lock.js";
import { identify, type SweepIdentity } from "../sweep/fingerprint.js";
import { planSweep, type SweepPlan } from "../sweep/plan.js";
import { knownGrid } from "../sweep/search/compare-with-grid.js";
import { Evaluator, SEARCH_LOG } from "../sweep/search/evaluator.js";
import { knobOf } from "../sweep/search/load-search.js";
import {
  optimize,
  type OptimizeOutcome,
  type SearchGoal,
  type SearchRequest,
} from "../sweep/search/optimize.js";
import { checkSweepFolder } from "../sweep/sweep-log.js";
import type { Executor } from "../sweep/executor.js";
import { addExecutorFlags, executorOf, type ExecutorOptions } from "./executor-flags.js";
import { listenForInterruption } from "./interruption.js";
import { numberFlag, shareFlag, wholeNumberFlag } from "./number-flags.js";
import { optimizeText } from "./optimize-text.js";
import { addOverrideFlags, typedSettings } from "./override-flags.js";
import { checkSlo } from "./slo-check.js";
import { progressDisplay } from "./sweep-progress.js";

const HELP = `
The space is the grid of a sweep: flags take lists \`a,b,c\` and ranges \`START:END:STEP\`, \`START:END:xFACTOR\`, and
the scenario's \`sweep\` block adds its axes. One of three searches runs over it:

  (default)    the best settings, by successive halving: all points on a short prefix of the trace under one seed,
               the better ones on longer prefixes, the last on all of it under every seed
  --max-rate   the largest load that every point sustains, by bisection; the trace is sped up, or re-timed where
               the scenario has a rate
  --cheapest   the fewest GPUs that carry the load, such as a P:D split (--prefill-workers, --decode-workers)

Objectives: ${METRIC_NAMES.join(", ")}

Examples:
  $ pdbench optimize conversation-4p4d --trace mooncake-conversation.jsonl --routing-threshold 0,512:16384:x2 \\
      --policy round_robin,least_loaded,cache_aware --balance-abs-threshold 16:128:x2 --seeds 3 --out out/best
  $ pdbench optimize quickstart --max-rate --attainment 0.9 --policy least_loaded,cache_aware
  $ pdbench optimize quickstart --cheapest --prefill-workers 1:6:1 --decode-workers 1:6:1 --attainment 0.95
`;

const DEFAULT_ATTAINMENT = 0.9;
const MAX_RATE_TOLERANCE = 0.02;

interface OptimizeFlags extends ExecutorOptions {
  readonly maxRate?: true;
  readonly cheapest?: true;
  readonly objective: string;
  readonly attainment?: number;
  readonly eta: number;
  readonly minRequests: number;
  readonly tolerance: number;
  readonly compare?: string;
  readonly seeds?: string;
  readonly out?: string;
  readonly json?: true;
}

/** `pdbench optimize [SCENARIO]`: searches a grid instead of running it whole. */
export function optimizeCommand(): Command {
  const command = new Command("optimize")
    .description(
      "Searches settings, the largest load or the cheapest fleet under SLOs, in a part of a sweep's time.",
    )
    .argument("[scenario]", "scenario file or name; without it, the default fleet and --trace")
    .addOption(
      new Option("--max-rate", "find the largest load that is sustained").conflicts(["cheapest", "compare"]),
    )
    .addOption(new Option("--cheapest", "find the fewest GPUs that will do").conflicts("compare"))
    .option("--objective <METRIC>", "what to make as good as possible", "goodput")
    .option(
      "--attainment <SHARE>",
      `SLO attainment that every seed must reach, 0..1 (default: none; ${DEFAULT_ATTAINMENT} for --max-rate, --cheapest)`,
      shareFlag("--attainment"),
    )
    .option("--seeds <N>", "how many seeds per point, or a list of them (default: the scenario's, or 1)")
    .option("--eta <N>", "each rung keeps one of N points", wholeNumberFlag("--eta", 2), 3)
    .option(
      "--min-requests <N>",
      "the first rung has at least so many",
      wholeNumberFlag("--min-requests", 1),
      500,
    )
    .option(
      "--tolerance <SHARE>",
      "width to which --max-rate finds a load",
      numberFlag("--tolerance", "positive"),
      MAX_RATE_TOLERANCE,
    )
    .option("--compare <DIR>", "sweep over the same grid, to say how close the search comes to it")
    .option("--out <DIR>", "keep results there as they come: optimize.json, sweep.json, points.csv, report")
    .option("--json", "print optimize.json instead of a table");
  addExecutorFlags(command);
  addOverrideFlags(command);
  return command
    .addHelpText("after", HELP)
    .action((scenario: string | undefined, flags: OptimizeFlags) =>
      optimizeScenario(scenario ?? null, flags, command),
    );
}

async function optimizeScenario(name: string | null, flags: OptimizeFlags, command: Command): Promise<void> {
  const goal = goalOf(flags, command);
  const plan = planSweep(findScenario(name), typedSettings(command), flags.seeds ?? null);
  for (const warning of plan.warnings) process.stderr.write(`pdbench: warning: ${warning}\n`);
  const attainment = flags.attainment ?? (goal === "best" ? null : DEFAULT_ATTAINMENT);
  if (attainment !== null) checkSlo(plan, goal === "best" ? "--attainment" : `--${flagOf(goal)}`);
  if (goal === "max_rate") checkLoadKnob(plan);
  const objective = metricNamed(flags.objective);
  const execute = await executorOf(flags, command);
  const identity = await identify(plan, null);
  const { eta, minRequests, tolerance, compare } = flags;
  const request: SearchRequest = {
    ...{ goal, objective, attainment, eta, minRequests, tolerance },
    compare: compare === undefined ? null : await knownGrid(compare, identity.fingerprint),
  };
  const run = (): Promise<void> => searchAndDeliver(plan, identity, request, flags, execute);
  if (flags.out === undefined) return run();
  checkSweepFolder(flags.out, SEARCH_LOG);
  await holdingDirectory(flags.out, run);
}

async function searchAndDeliver(
  plan: SweepPlan,
  identity: SweepIdentity,
  request: SearchRequest,
  { out, json }: OptimizeFlags,
  execute: Executor,
): Promise<void> {
  const interruption = listenForInterruption();
  const display = progressDisplay(process.stderr);
  const { goal, objective, attainment, eta, minRequests, tolerance } = request;
  const evaluator = new Evaluator(identity, {
    directory: out ?? null,
    search: { goal, objective: objective.name, attainment, eta, minRequests, tolerance },
    // Below the attainment a load or a fleet is ruled out, whatever its figures.
    stopBelow: goal === "best" ? null : attainment,
    execute,
    signal: interruption.signal,
    onProgress: ({ stage, done, total }) => display.update({ stage, done, total, failed: 0, earlier: 0 }),
  });
  try {
    const outcome = await optimize(plan, identity, evaluator, request);
    display.stop();
    await deliver(outcome, out ?? null, json === true);
  } finally {
    evaluator.close();
    display.stop();
    interruption.end();
  }
}

async function deliver({ result, sweep }: OptimizeOutcome, out: string | null, json: boolean): Promise<void> {
  const text = `${JSON.stringify(result, null, 1)}\n`;
  const report = reportOnSweep(sweep, {}, result);
  if (out !== null) {
    await writeWhole(join(out, "optimize.json"), text);
    await writeSweep(out, sweep, report);
  }
  process.stdout.write(json ? text : optimizeText(result, searchAnswer(result, report)));
  if (out !== null) process.stderr.write(`Report: ${join(out, "report.html")}\n`);
}

/** @throws InputError for flags that do not go with the goal */
function goalOf(flags: OptimizeFlags, command: Command): SearchGoal {
  const goal: SearchGoal =
    flags.maxRate === true ? "max_rate" : flags.cheapest === true ? "cheapest" : "best";
  const onlyFor: readonly (readonly [keyof OptimizeFlags, SearchGoal])[] = [
    ["eta", "best"],
    ["minRequests", "best"],
    ["tolerance", "max_rate"],
  ];
  for (const [name, of] of onlyFor) {
    if (goal === of || command.getOptionValueSource(name) !== "cli") continue;
    const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const where = of === "best" ? "searches without --max-rate and --cheapest" : `--${flagOf(of)}`;
    throw new InputError(`--${flag}: applies to ${where}`);
  }
  return goal;
}

function flagOf(goal: SearchGoal): string {
  return goal.replace("_", "-");
}

/** @throws InputError where something else settles the load that the search varies */
function checkLoadKnob(plan: SweepPlan): void {
  const knob = knobOf(plan);
  const names = ["speedup", "rate", "concurrency"].flatMap((name) => [name, `workload.${name}`]);
  const axis = plan.axes.find(({ setting }) => names.includes(setting));
  if (axis !== undefined) {
    throw new InputError(
      `--max-rate: varies the load itself (workload.${knob}), expected no axis ${axis.setting}`,
    );
  }
  if (plan.base.workload.concurrency > 0) {
    throw new InputError(
      "--max-rate: expected arrivals, and the scenario is a closed loop (workload.concurrency)",
    );
  }
}
