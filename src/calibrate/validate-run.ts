import { performance } from "node:perf_hooks";
import { stepTimeModel } from "../engine/profile.js";
import type { EngineProfile } from "../engine/profile.js";
import { compareRuns } from "./compare-runs.js";
import type { RunComparison } from "./compare-runs.js";
import { engineOf } from "./engine-settings.js";
import type { SettingOverrides } from "./engine-settings.js";
import { kvBlockCount } from "./kv-block-count.js";
import { readMeasuredRun } from "./measured-run.js";
import type { MeasuredRun } from "./measured-run.js";
import { readRunWorkload } from "./run-workload.js";
import { simulateRun } from "./simulate-run.js";
import type { SimulatedRun } from "./simulate-run.js";

/** What to validate. */
export interface ValidateRequest {
  /** Directory or file of the measured run. */
  readonly run: string;
  /** The trace that was sent. */
  readonly workload: string;
  readonly profile: EngineProfile;
  /** Overrides what is known of the run; null = not given. */
  readonly kvBlocks: number | null;
  readonly settings: SettingOverrides;
}

export interface Validation {
  readonly comparison: RunComparison;
  readonly run: MeasuredRun;
  readonly simulated: SimulatedRun;
}

/**
 * Simulates a measured run's own workload with a profile and compares.
 * @throws InputError for files that cannot be read or do not belong together.
 */
export async function validateRun(request: ValidateRequest): Promise<Validation> {
  const { profile } = request;
  const read = readMeasuredRun(request.run);
  const run: MeasuredRun = { ...read, settings: { ...read.settings, ...request.settings } };
  const workload = await readRunWorkload(request.workload, run);
  const kv = kvBlockCount(run, profile, request.kvBlocks);
  const engine = engineOf(run.settings, profile, kv.blocks);
  const startedMs = performance.now();
  const simulated = simulateRun(
    workload,
    { config: engine.config, stepTime: stepTimeModel(profile), overheads: profile.overheads, time: "fast" },
    run.startsAt,
  );
  const wallS = (performance.now() - startedMs) / 1e3;
  const comparison = compareRuns(run, simulated, {
    profile: profile.name,
    kvBlocks: kv.blocks,
    notes: [kv.source, ...engine.notes],
    wallS,
  });
  return { comparison, run, simulated };
}
