import { Command } from "commander";
import { regretText } from "../report/regret-text.js";
import { pointName } from "../report/setting-words.js";
import { findScenario } from "../scenario/load.js";
import { loadTrace } from "../sweep/load-trace.js";
import { planSweep } from "../sweep/plan.js";
import { studyRegret, type RegretStudy } from "../sweep/regret/regret-study.js";
import { setupOf } from "../sweep/run-scenario.js";
import type { SettingValue } from "../sweep/sweep-result.js";
import { workerIds } from "./decision-log.js";
import { wholeNumberFlag } from "./number-flags.js";
import { addOverrideFlags, typedSettings } from "./override-flags.js";
import { progressDisplay } from "./sweep-progress.js";

const HELP = `
For each decision of a sample the run is simulated again with that one request sent to every other worker of the leg.
Regret is how much earlier the best of them would have answered. Flags take lists, as in a sweep; the scenario's own
\`sweep\` block adds its axes.

Examples:
  $ pdbench regret quickstart --policy cache_aware --routing-threshold 2048
  $ pdbench regret conversation-4p4d --trace mooncake-conversation.jsonl --requests 2000 --sample 50 \\
      --policy round_robin,least_loaded,cache_aware --routing-threshold 2048 --json
`;

interface RegretFlags {
  readonly sample: number;
  readonly json?: true;
}

/** `pdbench regret [SCENARIO]`: what other workers would have given. */
export function regretCommand(): Command {
  const command = new Command("regret")
    .description("Says of a sample of decisions what the best other worker would have given, per policy.")
    .argument("[scenario]", "scenario file or name; without it, the default fleet and --trace")
    .option("--sample <N>", "decisions to look at, per point", wholeNumberFlag("--sample", 1), 50)
    .option("--json", "print one JSON document, every sampled decision included");
  addOverrideFlags(command);
  return command
    .addHelpText("after", HELP)
    .action((scenario: string | undefined, flags: RegretFlags) =>
      runRegret(scenario ?? null, flags, command),
    );
}

interface Point {
  readonly settings: Readonly<Record<string, SettingValue>>;
  readonly workers: readonly string[];
  readonly study: RegretStudy;
}

async function runRegret(name: string | null, flags: RegretFlags, command: Command): Promise<void> {
  const plan = planSweep(findScenario(name), typedSettings(command), "1");
  for (const warning of plan.warnings) process.stderr.write(`pdbench: warning: ${warning}\n`);
  const points: Point[] = [];
  for (const { scenario, settings } of plan.points) {
    const setup = setupOf(scenario, await loadTrace(scenario), { timeline: false });
    const display = progressDisplay(process.stderr);
    const stage = plan.points.length === 1 ? {} : { stage: pointName(settings) };
    const study = studyRegret(setup, {
      sample: flags.sample,
      onProgress: (done, total) => display.update({ done, total, earlier: 0, failed: 0, ...stage }),
    });
    display.stop();
    points.push({ settings, workers: workerIds(scenario), study });
  }
  process.stdout.write(
    flags.json === true
      ? `${JSON.stringify(documentOf(plan.base.name, plan.base.seed, flags.sample, points), null, 2)}\n`
      : regretText(
          plan.base.name,
          points.map(({ settings, study }) => ({ name: pointName(settings), legs: study.legs })),
        ),
  );
}

function documentOf(scenario: string, seed: number, sample: number, points: readonly Point[]): object {
  return {
    schema: "pdbench/regret@1",
    scenario,
    seed,
    sample,
    points: points.map(({ settings, workers, study }) => ({
      settings,
      legs: study.legs,
      decisions: study.decisions.map(({ decided, best }) => ({
        request: decided.row,
        leg: decided.leg,
        policy: decided.policy,
        branch: decided.branch,
        worker: workers[decided.worker],
        ttft_ms: decided.outcome.ttftMs,
        e2e_ms: decided.outcome.e2eMs,
        best_ttft: { worker: workers[best.ttft.worker], ttft_ms: best.ttft.ms },
        best_e2e: { worker: workers[best.e2e.worker], e2e_ms: best.e2e.ms },
      })),
    })),
  };
}
