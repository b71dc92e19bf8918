import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Executor } from "../../src/sweep/executor.js";
import { inputOf } from "../../src/sweep/local-executor.js";
import { TaskRunner } from "../../src/sweep/task-runner.js";
import { parseScenarioSource } from "../../src/scenario/scenario-source.js";
import { planSweep, type SweepPlan } from "../../src/sweep/plan.js";
import { runSweep, type SweepOptions } from "../../src/sweep/run-sweep.js";
import type { SweepResult } from "../../src/sweep/sweep-result.js";

/** A sweep of 4 points x 2 seeds that takes a moment. */
export const SMALL_SWEEP = `
name: small
fleet: { prefill: { workers: 1, profile: llama-3.1-8b-h100-tp1-bf16 }, decode: { workers: 2 } }
workload: { generate: { kind: lengths, rate: 20 }, requests: 60 }
router: { decider: { kind: threshold } }
sweep: { routing_threshold: [0, 1000], policy: [random, cache_aware], seeds: 2 }
`;

export function smallPlan(text = SMALL_SWEEP): SweepPlan {
  return planSweep(parseScenarioSource(text, "small.yaml"), [], null);
}

/** Runs tasks in this thread. */
export const inline: Executor = async (tasks, context) => {
  const { signal, onResult } = context;
  const runner = new TaskRunner();
  for (const task of tasks) {
    const result = await runner.run(inputOf(task, context));
    if (signal.aborted) return;
    onResult(result);
  }
};

/** Runs a plan in this thread and without a directory, unless told otherwise. */
export function run(plan: SweepPlan, options: Partial<SweepOptions> = {}): Promise<SweepResult> {
  return runSweep(plan, {
    directory: null,
    keepRuns: false,
    execute: inline,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    ...options,
  });
}

/** What of a result must not depend on how it was made: all of it. */
export function comparable(sweep: SweepResult): string {
  return JSON.stringify(sweep);
}

/** Calls `body` with a path in a new folder that is removed afterwards; the path itself does not exist. */
export async function withFolder(body: (path: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "pdbench-test-"));
  try {
    await body(join(folder, "out"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
