import { InputError } from "../errors.js";
import { knownCard } from "../engine/hardware.js";
import type { EngineProfile } from "../engine/profile.js";
import type { Calibration } from "./calibrate-grid.js";
import { modelByNameOrConfig } from "./model-config.js";
import { NO_OVERHEADS } from "./calibrate-grid.js";
import { blockSizeOf, engineOf } from "./engine-settings.js";
import { DEFAULT_CONTEXT_SKEW, namedErrors } from "./fit-grid.js";
import { fitRun, RUN_COEFFICIENTS } from "./fit-run.js";
import type { FittedPoint } from "./fitted-point.js";
import { kvBlockCount } from "./kv-block-count.js";
import { firstRequests } from "./measured-run.js";
import type { MeasuredRun } from "./measured-run.js";
import { rooflineBeliefs } from "./roofline.js";
import type { RunWorkload } from "./simulate-run.js";

/** What the run itself does not say; null = take it from the run. */
export interface RunIdentity {
  readonly hardware: string | null;
  readonly model: string | null;
  readonly modelShape: string | null;
  readonly tp: number | null;
  readonly kvBlocks: number | null;
}

const UNKNOWN_HARDWARE = "unknown";

/**
 * Makes a profile of a measured run and its workload.
 *
 * @param first fit to the first requests only; null = all
 * @throws InputError where neither the run nor `identity` names a model, or the model is unknown
 */
export function calibrateRun(
  run: MeasuredRun,
  workload: RunWorkload,
  identity: RunIdentity,
  first: number | null,
): Calibration {
  const { settings } = run;
  const model = identity.model ?? settings.model ?? missingModel(run);
  const hardware = identity.hardware ?? settings.deviceName ?? UNKNOWN_HARDWARE;
  const card = knownCard(hardware);
  const profile = unfitted(run, { ...identity, model, hardware });
  const kv = kvBlockCount(run, profile, identity.kvBlocks);
  const { config, notes } = engineOf(settings, profile, kv.blocks);
  const count = Math.min(first ?? Infinity, run.requests.count);
  const measured = firstRequests(run.requests, count);
  const fit = fitRun({
    workload: { ...workload, count },
    measured,
    config,
    startsAt: run.startsAt,
    beliefs: rooflineBeliefs(profile, RUN_COEFFICIENTS),
    untilMs: count < run.requests.count ? alonesUntilMs(run, count) : Infinity,
  });
  const derivesCapacity = settings.numGpuBlocks === null && identity.kvBlocks === null && card !== null;
  return {
    profile: {
      ...profile,
      source:
        `Fitted to ${count === run.requests.count ? "all" : `the first ${count} of`} ${run.requests.count} ` +
        `requests of ${run.path.replace(/^.*\//, "")}. ${kv.source}`,
      fit_error: namedErrors(fit.points),
      step_time: fit.step_time,
      overheads: { ...NO_OVERHEADS, http_ms: fit.requestOverheadMs },
      kv_capacity_tokens: derivesCapacity ? null : kv.blocks * blockSizeOf(settings),
    },
    points: fit.points,
    warnings: [
      ...(card === null ? [unknownCard(hardware)] : []),
      ...notes,
      ...fit.warnings,
      ...looseFit(fit.points),
    ],
  };
}

/** The first requests were alone until another could be scheduled: when the last of them was, at the earliest. */
function alonesUntilMs({ requests }: MeasuredRun, count: number): number {
  let untilMs = -Infinity;
  for (let row = 0; row < count; row++) {
    const scheduledMs = requests.scheduledMs[row]!;
    untilMs = Math.max(untilMs, Number.isNaN(scheduledMs) ? requests.arrivalMs[row]! : scheduledMs);
  }
  return untilMs;
}

function unfitted(
  { settings }: MeasuredRun,
  { model, modelShape, hardware, tp }: RunIdentity & { model: string; hardware: string },
): EngineProfile {
  const card = knownCard(hardware);
  const degree = tp ?? settings.tensorParallelSize ?? 1;
  const cardName = card?.name ?? hardware;
  return {
    name: `${model.replace(/^.*\//, "")}-${cardName}-tp${degree}-run`.toLowerCase().replaceAll(" ", "-"),
    model: modelByNameOrConfig(modelShape ?? model),
    hardware: {
      name: cardName,
      memory_bytes: settings.deviceMemoryBytes ?? card?.card.memoryBytes ?? null,
    },
    tp: degree,
    source: "",
    validation: "not validated beyond the run that it was fitted to",
    fit_error: namedErrors([]),
    step_time: {
      decode: [{ from_sequences: 1, base_ms: 0, per_sequence_ms: 0, per_context_token_ms: 0 }],
      prefill: { floor_ms: 0, base_ms: 0, per_token_ms: 0, per_request_ms: 0, per_pair_ms: 0 },
      mixed: { per_sequence_ms: 0, per_context_token_ms: 0 },
    },
    context_skew: DEFAULT_CONTEXT_SKEW,
    all_reduce: null,
    overheads: NO_OVERHEADS,
    gpu_memory_utilization: settings.gpuMemoryUtilization ?? 0.9,
    kv_capacity_tokens: null,
  };
}

function unknownCard(hardware: string): string {
  const what =
    hardware === UNKNOWN_HARDWARE ? "the run does not say its card" : `${hardware} is not a known card`;
  return `${what} (--hardware): its memory and speed are not used, and KV capacity is what the run shows.`;
}

function looseFit(points: readonly FittedPoint[]): string[] {
  const { decode_mean_pct: error } = namedErrors(points);
  if (error === null || error < 5) return [];
  return [`the model misses the time between tokens by ${error} % on average: look at the residuals.`];
}

function missingModel(run: MeasuredRun): never {
  throw new InputError(`${run.path}: does not say its model, expected --model`);
}
