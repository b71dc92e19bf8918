import { parentPort, workerData } from "node:worker_threads";
import { PdbenchError } from "../errors.js";
import { writeRunDirectory } from "../measure/run-directory.js";
import { scenarioToYaml } from "../scenario/to-yaml.js";
import type { RawTrace } from "../workload/raw-trace.js";
import type { SweepTask, TaskResult } from "./local-executor.js";
import { loadTrace, traceKey } from "./load-trace.js";
import { runScenario } from "./run-scenario.js";

/** What a thread is started with: traces in shared memory, by `traceKey`. */
export interface WorkerInput {
  readonly traces: readonly (readonly [string, RawTrace])[];
}

const shared = new Map((workerData as WorkerInput).traces);

/** The workload generated last: tasks come seed by seed, so the next one most likely needs it again. */
let generated: { readonly key: string; readonly trace: RawTrace } | null = null;

async function traceOf(task: SweepTask): Promise<RawTrace> {
  const key = traceKey(task.scenario);
  const trace = shared.get(key);
  if (trace !== undefined) return trace;
  if (generated?.key !== key) generated = { key, trace: await loadTrace(task.scenario) };
  return generated.trace;
}

async function runTask(task: SweepTask): Promise<TaskResult> {
  const { id, scenario, directory } = task;
  try {
    const { run, summary } = runScenario(scenario, await traceOf(task));
    if (directory !== null) {
      const scenarioYaml = scenarioToYaml(scenario, directory);
      await writeRunDirectory(directory, { run, summary, scenarioYaml });
    }
    return { id, summary, error: null };
  } catch (error) {
    const isExpected = error instanceof PdbenchError;
    const message = error instanceof Error && !isExpected ? error.stack : undefined;
    return {
      id,
      summary: null,
      error: {
        message: message ?? (error instanceof Error ? error.message : String(error)),
        isInput: isExpected && error.exitCode === 2,
      },
    };
  }
}

parentPort!.on("message", (task: SweepTask) => {
  void runTask(task).then((result) => parentPort!.postMessage(result));
});
