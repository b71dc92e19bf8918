import { PdbenchError } from "../errors.js";
import { writeRunDirectory } from "../measure/run-directory.js";
import { scenarioToYaml } from "../scenario/to-yaml.js";
import type { RawTrace } from "../workload/raw-trace.js";
import type { ExecutorContext, SweepTask, TaskResult } from "./executor.js";
import { loadTrace, traceKey } from "./load-trace.js";
import { runScenario } from "./run-scenario.js";

/** Runs tasks one after the other and keeps the requests they have in common. */
export class TaskRunner {
  private readonly traces: ReadonlyMap<string, RawTrace>;
  /** The workload generated last: tasks come seed by seed, so the next one most likely needs it again. */
  private generated: { readonly key: string; readonly trace: RawTrace } | null = null;

  constructor(traces: ExecutorContext["traces"]) {
    this.traces = new Map(traces);
  }

  /** Never throws: what goes wrong is the task's result. */
  async run(task: SweepTask): Promise<TaskResult> {
    const { id, scenario, directory } = task;
    try {
      const { run, summary } = runScenario(scenario, await this.traceOf(task), {
        requestGaps: directory !== null,
      });
      if (directory !== null) {
        const scenarioYaml = scenarioToYaml(scenario, directory);
        await writeRunDirectory(directory, { run, summary, scenarioYaml });
      }
      return { id, summary, error: null };
    } catch (error) {
      return { id, summary: null, error: describe(error) };
    }
  }

  private async traceOf({ scenario }: SweepTask): Promise<RawTrace> {
    const key = traceKey(scenario);
    const trace = this.traces.get(key);
    if (trace !== undefined) return trace;
    if (this.generated?.key !== key) this.generated = { key, trace: await loadTrace(scenario) };
    return this.generated.trace;
  }
}

function describe(error: unknown): NonNullable<TaskResult["error"]> {
  if (error instanceof PdbenchError) return { message: error.message, isInput: error.exitCode === 2 };
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { message, isInput: false };
}
