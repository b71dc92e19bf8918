import { join } from "node:path";
import { Command } from "commander";
import { InputError } from "../errors.js";
import { renderSummary } from "../report/render-summary.js";
import { terminalOptionsOf } from "../report/terminal-style.js";
import { RequestRows } from "../measure/request-rows.js";
import { summaryJson } from "../measure/run-files.js";
import type { Summary } from "../measure/summary.js";
import { findScenario } from "../scenario/load.js";
import type { Scenario } from "../scenario/schema.js";
import { scenarioToYaml } from "../scenario/to-yaml.js";
import { provenanceOf } from "../sweep/fingerprint.js";
import { loadTrace } from "../sweep/load-trace.js";
import { planRun } from "../sweep/plan.js";
import { runScenario, workloadOf } from "../sweep/run-scenario.js";
import { runStreamed } from "../sweep/run-streamed.js";
import type { SimulationHooks } from "../simulator/hooks.js";
import { DEFAULT_REQUESTS } from "../workload/generate-workload.js";
import { checkedJson, checkedText, checkScenario } from "./check-scenario.js";
import { DecisionLog, workerIds } from "./decision-log.js";
import { printExplanation } from "./explanation.js";
import { addOverrideFlags, typedSettings } from "./override-flags.js";
import { simulationDisplay } from "./simulate-progress.js";
import { checkRunDirectory, writeWholeRunDirectory } from "./run-output.js";

const EXAMPLES = `
SCENARIO is a file, or the name of one that comes with pdbench (pdbench list scenarios).

Examples:
  $ pdbench simulate quickstart
  $ pdbench simulate conversation-4p4d --trace mooncake-conversation.jsonl --policy cache_aware --json
  $ pdbench simulate --trace azure.csv --requests 5000 --speedup 4 --out out/azure --decisions
  $ pdbench simulate quickstart --set engine.max_num_seqs=64 --explain
  $ pdbench simulate my-fleet.yaml --check
  $ pdbench simulate --trace mooncake-conversation.jsonl --stream --rate 5 --out out/streamed
`;

interface SimulateOptions {
  readonly json?: true;
  readonly out?: string;
  readonly decisions?: true;
  readonly check?: true;
  readonly explain?: true;
  readonly stream?: true;
  readonly plainTime?: true;
}

/** `pdbench simulate [SCENARIO]`: one run in virtual time. */
export function simulateCommand(): Command {
  const command = new Command("simulate")
    .description("Runs a scenario once in virtual time and prints what was measured.")
    .argument("[scenario]", "scenario file or name; without it, the default fleet and --trace")
    .option("--json", "print summary.json instead of a table")
    .option("--out <DIR>", "write summary.json, scenario.yaml, requests.csv and timeline.csv there")
    .option("--decisions", "with --out: also decisions.jsonl, a line for every routing decision")
    .option("--check", "say whether the scenario can be run, its trace and sweep included, and run nothing")
    .option("--explain", "print every setting and where it comes from, and run nothing")
    .option(
      "--stream",
      "generate or read, measure and forget requests on the way: constant memory, sketched percentiles",
    )
    .option("--plain-time", "advance engines step by step (slower, for checking the fast way)");
  addOverrideFlags(command);
  return command
    .addHelpText("after", EXAMPLES)
    .action((scenario: string | undefined, options: SimulateOptions) =>
      simulateScenario(scenario ?? null, options, command),
    );
}

async function simulateScenario(
  name: string | null,
  options: SimulateOptions,
  command: Command,
): Promise<void> {
  const source = findScenario(name);
  const typed = typedSettings(command);
  const { resolution, warnings } = planRun(source, typed);
  for (const warning of warnings) process.stderr.write(`pdbench: warning: ${warning}\n`);
  if (options.check === true) {
    checkAlone(options);
    const checked = await checkScenario(resolution.scenario, source, typed);
    process.stdout.write(options.json === true ? checkedJson(checked) : checkedText(checked));
    return;
  }
  if (options.explain === true) {
    printExplanation(resolution, options.json === true);
    return;
  }
  if (options.decisions === true && options.out === undefined) {
    throw new InputError("--decisions: applies to --out, which is not given");
  }
  const { scenario } = resolution;
  const scenarioYaml = options.out === undefined ? "" : scenarioToYaml(scenario, options.out);
  if (options.out !== undefined) checkRunDirectory(options.out, scenarioYaml);
  if (options.stream === true) {
    printSummary(await simulateStreamed(scenario, scenarioYaml, options), options);
    if (options.out !== undefined) process.stderr.write(`Written to ${options.out}\n`);
    return;
  }
  warnOfMemory(scenario);
  const trace = await loadTrace(scenario);
  const log = options.decisions === true ? new DecisionLog(workerIds(scenario)) : null;
  const workload = workloadOf(scenario, trace);
  const provenance = await provenanceOf(scenario);
  const { run, summary } = await withProgress(workload.count, (hooks) =>
    runScenario(scenario, trace, {
      provenance,
      workload,
      time: options.plainTime === true ? "plain" : "fast",
      requestGaps: options.out !== undefined,
      ...log?.hooks,
      ...hooks,
    }),
  );
  if (options.out !== undefined) {
    const content = { run, summary, scenarioYaml };
    const decisions = log === null ? {} : { decisions: log.lines() };
    await writeWholeRunDirectory(options.out, () => ({ ...content, ...decisions }));
  }
  printSummary(summary, options);
  if (options.out !== undefined) process.stderr.write(`Written to ${options.out}\n`);
}

/** @throws InputError for a flag that asks for something else than a check */
function checkAlone(options: SimulateOptions): void {
  const others = ["out", "decisions", "explain", "stream", "plainTime"] as const;
  const other = others.find((one) => options[one] !== undefined);
  if (other === undefined) return;
  const flag = other.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new InputError(`--check: runs nothing, expected it without --${flag}`);
}

/**
 * A run in constant memory; what goes into files of the requests is written on the way.
 *
 * @throws InputError for flags that ask for what a run without requests does not have
 */
async function simulateStreamed(
  scenario: Scenario,
  scenarioYaml: string,
  { out, plainTime, decisions }: SimulateOptions,
): Promise<Summary> {
  if (decisions === true) {
    throw new InputError(
      "--stream: with --decisions: decisions are kept until the end, expected one of them",
    );
  }
  const how = {
    time: plainTime === true ? "plain" : "fast",
    provenance: await provenanceOf(scenario),
  } as const;
  return withProgress(streamedRequests(scenario), async (hooks) => {
    if (out === undefined) return (await runStreamed(scenario, { ...how, ...hooks })).summary;
    const { summary } = await writeWholeRunDirectory(out, async (partial) => {
      const rows = new RequestRows(join(partial, "requests.csv"), workerIds(scenario));
      try {
        return { ...(await runStreamed(scenario, { ...how, rows, ...hooks })), scenarioYaml };
      } finally {
        rows.close();
      }
    });
    return summary;
  });
}

/** How many requests a stream will have; null = as many as the trace has, which is not known before. */
function streamedRequests({ workload: { trace, requests } }: Scenario): number | null {
  return requests ?? (trace === null ? DEFAULT_REQUESTS : null);
}

/** Runs what simulates so many requests, with a bar where that takes long. */
async function withProgress<T>(
  requests: number | null,
  run: (hooks: Pick<SimulationHooks, "onProgress">) => T | Promise<T>,
): Promise<T> {
  const display = requests === null ? null : simulationDisplay(process.stderr, requests);
  if (display === null) return run({});
  try {
    return await run({ onProgress: display.onProgress });
  } finally {
    display.stop();
  }
}

/** Requests, their records and their token gaps take about this much, bytes a request. */
const KEPT_BYTES = 400;
const MANY_REQUESTS = 2_000_000;

function warnOfMemory({ workload }: Scenario): void {
  const { generate, requests } = workload;
  if (generate === null || requests === null || requests <= MANY_REQUESTS) return;
  const gigabytes = ((requests * KEPT_BYTES) / 1e9).toFixed(1);
  process.stderr.write(
    `pdbench: warning: keeping ${requests} requests takes about ${gigabytes} GB; --stream keeps none of them\n`,
  );
}

function printSummary(summary: Summary, { json }: SimulateOptions): void {
  process.stdout.write(
    json === true
      ? summaryJson(summary)
      : renderSummary(summary, terminalOptionsOf(process.stdout, process.env)),
  );
}
