import { knownCard } from "../engine/hardware.js";
import type { EngineProfile } from "../engine/profile.js";
import { DEFAULT_CONTEXT_SKEW, fitGrid } from "./fit-grid.js";
import type { FittedPoint } from "./fitted-point.js";
import { modelByNameOrConfig } from "./model-config.js";
import { readGrid } from "./read-grid.js";

/** A fitted profile, the points it was fitted to, and what the data could not tell. */
export interface Calibration {
  readonly profile: EngineProfile;
  readonly points: readonly FittedPoint[];
  readonly warnings: readonly string[];
}

/** Where a grid is and what it is of. */
export interface GridRequest {
  readonly file: string;
  readonly hardware: string;
  readonly model: string;
  readonly tp: number;
  /** Name of the model's shape; null = that of `model`. */
  readonly modelShape: string | null;
  /** Between cards; null = not given. */
  readonly allReduce: { readonly gigabytesPerSecond: number; readonly latencyUs: number } | null;
}

/** Overheads that no grid contains and nobody has stated. */
export const NO_OVERHEADS: EngineProfile["overheads"] = {
  http_ms: 0,
  schedule_ms: 0,
  first_token_ms: 0,
  step_host_ms: 0,
};

/**
 * Makes a profile of a step-time grid.
 * @throws InputError for a file that cannot be read or does not hold what is asked for.
 */
export function calibrateGrid(request: GridRequest): Calibration {
  const { file, hardware, model, tp, allReduce } = request;
  const samples = readGrid(file, { hardware, model, tp });
  const fit = fitGrid(samples, file);
  const warnings = [...fit.warnings];
  const card = knownCard(hardware);
  if (card === null) {
    warnings.push(
      `the memory of ${hardware} is unknown: set hardware.memory_bytes or kv_capacity_tokens in the profile.`,
    );
  }
  if (tp > 1 && allReduce === null) {
    warnings.push(
      "the all-reduce between cards is not charged: if the grid was measured on one card, " +
        "give --allreduce-gbps and --allreduce-us.",
    );
  }
  const name = `${model.replace(/^.*\//, "")}-${hardware}-tp${tp}`.toLowerCase().replaceAll(" ", "-");
  const profile: EngineProfile = {
    name,
    model: modelByNameOrConfig(request.modelShape ?? model),
    hardware: { name: card?.name ?? hardware, memory_bytes: card?.card.memoryBytes ?? null },
    tp,
    source: `Step-time grid ${file.replace(/^.*\//, "")}: ${samples.length} steps of ${model} on ${hardware}, tp ${tp}.`,
    validation: "not validated",
    fit_error: fit.fit_error,
    step_time: fit.step_time,
    context_skew: DEFAULT_CONTEXT_SKEW,
    all_reduce:
      allReduce === null || tp === 1
        ? null
        : {
            per_layer: 2,
            latency_us: allReduce.latencyUs,
            gigabytes_per_second: allReduce.gigabytesPerSecond,
          },
    overheads: NO_OVERHEADS,
    gpu_memory_utilization: 0.9,
    kv_capacity_tokens: null,
  };
  return { profile, points: fit.points, warnings };
}
