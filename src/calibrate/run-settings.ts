import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { InputError } from "../errors.js";
import type { VllmVersion } from "../engine/vllm-versions.js";

/** Settings of the engine that was measured; null = not recorded. Names are vLLM's. */
export interface RunSettings {
  readonly model: string | null;
  readonly vllmVersion: string | null;
  readonly deviceName: string | null;
  readonly deviceMemoryBytes: number | null;
  readonly tensorParallelSize: number | null;
  readonly maxNumSeqs: number | null;
  readonly maxNumBatchedTokens: number | null;
  readonly maxModelLen: number | null;
  readonly blockSize: number | null;
  readonly enablePrefixCaching: boolean | null;
  readonly asyncScheduling: boolean | null;
  readonly gpuMemoryUtilization: number | null;
  readonly numGpuBlocks: number | null;
}

/** Nothing is known. */
export const UNKNOWN_SETTINGS: RunSettings = {
  model: null,
  vllmVersion: null,
  deviceName: null,
  deviceMemoryBytes: null,
  tensorParallelSize: null,
  maxNumSeqs: null,
  maxNumBatchedTokens: null,
  maxModelLen: null,
  blockSize: null,
  enablePrefixCaching: null,
  asyncScheduling: null,
  gpuMemoryUtilization: null,
  numGpuBlocks: null,
};

const whole = z.int().positive().nullish();
const share = z.number().positive().max(1).nullish();

/** What `meta.json` may hold; other fields are left alone. */
const metaSchema = z.object({
  model: z.string().nullish(),
  vllm_version: z.string().nullish(),
  engine_kwargs: z
    .object({
      tensor_parallel_size: whole,
      max_num_seqs: whole,
      max_num_batched_tokens: whole,
      max_model_len: whole,
      block_size: whole,
      enable_prefix_caching: z.boolean().nullish(),
      async_scheduling: z.boolean().nullish(),
      gpu_memory_utilization: share,
      num_gpu_blocks_override: whole,
    })
    .nullish(),
  kv_cache: z
    .object({
      num_gpu_blocks: whole,
      block_size: whole,
      gpu_memory_utilization: share,
      enable_prefix_caching: z.boolean().nullish(),
    })
    .nullish(),
  hardware: z
    .object({ device_name: z.string().nullish(), device_total_memory_bytes: z.number().positive().nullish() })
    .nullish(),
});

/**
 * Engine settings from the `meta.json` of a run; all unknown where there is none.
 * @throws InputError naming the file, the field and what was expected.
 */
export function readRunSettings(file: string): RunSettings {
  if (!existsSync(file)) return UNKNOWN_SETTINGS;
  const parsed = metaSchema.safeParse(parseJson(file));
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new InputError(`${file}: ${issue.path.join(".") || "content"}: ${issue.message}`);
  }
  const { model, vllm_version, engine_kwargs: kwargs, kv_cache: cache, hardware } = parsed.data;
  return {
    model: model ?? null,
    vllmVersion: vllm_version ?? null,
    deviceName: hardware?.device_name ?? null,
    deviceMemoryBytes: hardware?.device_total_memory_bytes ?? null,
    tensorParallelSize: kwargs?.tensor_parallel_size ?? null,
    maxNumSeqs: kwargs?.max_num_seqs ?? null,
    maxNumBatchedTokens: kwargs?.max_num_batched_tokens ?? null,
    maxModelLen: kwargs?.max_model_len ?? null,
    blockSize: cache?.block_size ?? kwargs?.block_size ?? null,
    enablePrefixCaching: cache?.enable_prefix_caching ?? kwargs?.enable_prefix_caching ?? null,
    asyncScheduling: kwargs?.async_scheduling ?? null,
    gpuMemoryUtilization: cache?.gpu_memory_utilization ?? kwargs?.gpu_memory_utilization ?? null,
    numGpuBlocks: cache?.num_gpu_blocks ?? kwargs?.num_gpu_blocks_override ?? null,
  };
}

function parseJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new InputError(`${file}: not JSON (${error instanceof Error ? error.message : String(error)})`);
  }
}

/** `0.19.0` as a number that orders releases: 19; null for anything else. */
function minorRelease(version: string | null): number | null {
  const match = /^v?0\.(\d+)/.exec(version ?? "");
  return match === null ? null : Number(match[1]);
}

/** The bundle of scheduler rules that a release follows; releases in between follow the older bundle. */
export function rulesOf(vllmVersion: string | null): VllmVersion {
  const minor = minorRelease(vllmVersion);
  if (minor === null) return "0.19";
  // The full-sequence gate came in March 2026 (dc78c2c933), tail-or-head release in June (a6183563b6).
  if (minor < 19) return "0.11";
  return minor < 24 ? "0.19" : "main-2026-08";
}

/** Async scheduling is vLLM's default since c2ff33cc8c (2025-12-29), release 0.14. */
export function defaultAsyncScheduling(vllmVersion: string | null): boolean {
  return (minorRelease(vllmVersion) ?? 19) >= 14;
}
