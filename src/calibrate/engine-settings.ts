import type { EngineProfile } from "../engine/profile.js";
import type { EngineConfig } from "../engine/types.js";
import { VLLM_VERSIONS } from "../engine/vllm-versions.js";
import { defaultAsyncScheduling, rulesOf } from "./run-settings.js";
import type { RunSettings } from "./run-settings.js";

/** vLLM's own defaults for what a run did not record. */
const DEFAULTS = { blockSize: 16, maxNumSeqs: 256, maxNumBatchedTokens: 8192, maxModelLen: 131072 };

/** The engine of a measured run, and what had to be assumed of it, one sentence each. */
export interface EngineSettings {
  readonly config: EngineConfig;
  readonly notes: readonly string[];
}

/** Settings that the command line may give instead of the run's metadata. */
export type SettingOverrides = Partial<Pick<RunSettings, "maxNumSeqs" | "maxNumBatchedTokens">>;

/** The block size of a run. */
export function blockSizeOf(settings: RunSettings): number {
  return settings.blockSize ?? DEFAULTS.blockSize;
}

/** Batch limits of a run, as vLLM would take them. */
export function batchLimitsOf(settings: RunSettings): { maxNumSeqs: number; maxNumBatchedTokens: number } {
  return {
    maxNumSeqs: settings.maxNumSeqs ?? DEFAULTS.maxNumSeqs,
    maxNumBatchedTokens: settings.maxNumBatchedTokens ?? DEFAULTS.maxNumBatchedTokens,
  };
}

/** The engine to simulate for a run with `numGpuBlocks` KV blocks. */
export function engineOf(
  settings: RunSettings,
  profile: EngineProfile,
  numGpuBlocks: number,
): EngineSettings {
  const notes: string[] = [];
  if (settings.vllmVersion === null)
    notes.push("vLLM's version was not recorded: the rules of 0.19 are assumed.");
  for (const name of ["maxNumSeqs", "maxNumBatchedTokens"] as const) {
    if (settings[name] === null)
      notes.push(`${name} was not recorded: vLLM's default ${DEFAULTS[name]} is assumed.`);
  }
  const { tensorParallelSize } = settings;
  if (tensorParallelSize !== null && tensorParallelSize !== profile.tp) {
    notes.push(`The run has tensor_parallel_size ${tensorParallelSize}, the profile is for ${profile.tp}.`);
  }
  return {
    notes,
    config: {
      blockSize: blockSizeOf(settings),
      numGpuBlocks,
      ...batchLimitsOf(settings),
      longPrefillTokenThreshold: 0,
      maxModelLen: settings.maxModelLen ?? DEFAULTS.maxModelLen,
      enablePrefixCaching: settings.enablePrefixCaching ?? true,
      enableChunkedPrefill: true,
      schedulingPolicy: "fcfs",
      asyncScheduling: settings.asyncScheduling ?? defaultAsyncScheduling(settings.vllmVersion),
      rules: VLLM_VERSIONS[rulesOf(settings.vllmVersion)],
    },
  };
}
