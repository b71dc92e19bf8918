import { PdbenchError } from "../errors.js";
import { writeRunDirectory } from "../measure/run-directory.js";
import type { ProfileTexts } from "../scenario/profiles.js";
import { scenarioToYaml } from "../scenario/to-yaml.js";
import { arrivalOptions } from "../scenario/workload-settings.js";
import type { RawTrace } from "../workload/raw-trace.js";
import type { Workload } from "../workload/workload.js";
import type { SweepTask, TaskError, TaskResult } from "./executor.js";
import { HopelessRun, stopWhenHopeless } from "./hopeless-run.js";
import { loadTrace, traceKey } from "./load-trace.js";
import { runScenario, workloadOf } from "./run-scenario.js";

/** A task and what of its inputs lies outside it. */
export interface TaskInput {
  readonly task: SweepTask;
  /** The requests of a task that names a trace. */
  readonly trace: RawTrace | null;
  readonly profiles: ProfileTexts;
}

/**
 * Runs tasks one after the other and keeps what they have in common: generated requests, and when they are sent.
 * Tasks come seed by seed, so the next one most likely needs what the last one needed.
 */
export class TaskRunner {
  private generated: { readonly key: string; readonly trace: RawTrace } | null = null;
  private workload: { readonly key: string; readonly workload: Workload } | null = null;

  /** Never throws: what goes wrong is the task's result. */
  async run({ task, trace, profiles }: TaskInput): Promise<TaskResult> {
    const { id, scenario, directory, stopBelow } = task;
    try {
      const requests = trace ?? (await this.generate(task));
      const { run, summary } = runScenario(scenario, requests, {
        profiles,
        workload: this.workloadOf(task, requests),
        requestGaps: directory !== null,
        timeline: directory !== null,
        ...(stopBelow !== null && { onProgress: stopWhenHopeless(scenario.slo, stopBelow) }),
      });
      if (directory !== null) {
        const scenarioYaml = scenarioToYaml(scenario, directory);
        await writeRunDirectory(directory, { run, summary, scenarioYaml });
      }
      // How long the machine took is no result of the sweep: the same sweep has the same bytes.
      return { id, summary: JSON.stringify({ ...summary, simulator: undefined }), error: null };
    } catch (error) {
      return { id, summary: null, error: describe(error) };
    }
  }

  private async generate({ scenario }: SweepTask): Promise<RawTrace> {
    const key = traceKey(scenario);
    if (this.generated?.key !== key) this.generated = { key, trace: await loadTrace(scenario) };
    return this.generated.trace;
  }

  private workloadOf({ scenario, trace: name }: SweepTask, trace: RawTrace): Workload {
    const { workload, seed } = scenario;
    const key = JSON.stringify([name ?? traceKey(scenario), arrivalOptions(workload), seed]);
    if (this.workload?.key !== key) this.workload = { key, workload: workloadOf(scenario, trace) };
    return this.workload.workload;
  }
}

function describe(error: unknown): TaskError {
  if (error instanceof HopelessRun) return { message: error.message, kind: "stopped" };
  if (error instanceof PdbenchError) {
    return { message: error.message, kind: error.exitCode === 2 ? "input" : "work" };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { message, kind: "work" };
}
