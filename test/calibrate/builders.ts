import type { EngineProfile } from "../../src/engine/profile.js";
import { profileModel, stepTimeModel } from "../../src/engine/profile.js";
import type { EngineConfig } from "../../src/engine/types.js";
import { VLLM_VERSIONS } from "../../src/engine/vllm-versions.js";
import { loadOf } from "../../src/calibrate/step-samples.js";
import type { StepSample } from "../../src/calibrate/step-samples.js";
import type { RunWorkload } from "../../src/calibrate/simulate-run.js";
import { emptySpan } from "../../src/values/block-span.js";
import { randomStream } from "../../src/values/random.js";

/** A profile with straight lines for step times. */
export function linearProfile(change: Partial<EngineProfile> = {}): EngineProfile {
  return {
    name: "test",
    model: profileModel("Llama-3.1-8B", 2, 2),
    hardware: { name: "RTX4090", memory_bytes: 25250627584 },
    tp: 1,
    source: "made up",
    validation: "not validated",
    fit_error: {
      decode_mean_pct: null,
      decode_max_pct: null,
      prefill_mean_pct: null,
      prefill_max_pct: null,
      mixed_mean_pct: null,
      mixed_max_pct: null,
    },
    step_time: {
      decode: [{ from_sequences: 1, base_ms: 17, per_sequence_ms: 0.05, per_context_token_ms: 0.00014 }],
      prefill: { floor_ms: 0, base_ms: 18, per_token_ms: 0.09, per_request_ms: 0, per_pair_ms: 4e-6 },
      mixed: { per_sequence_ms: 0.02, per_context_token_ms: 0.00025 },
    },
    context_skew: { decode: 0.03, mixed: 0.07 },
    all_reduce: null,
    overheads: { http_ms: 0, schedule_ms: 0, first_token_ms: 0, step_host_ms: 0 },
    gpu_memory_utilization: 0.9,
    kv_capacity_tokens: null,
    ...change,
  };
}

/** An engine of vLLM 0.19 with KV for everybody. */
export function engineConfig(change: Partial<EngineConfig> = {}): EngineConfig {
  return {
    blockSize: 16,
    numGpuBlocks: 20_000,
    maxNumSeqs: 64,
    maxNumBatchedTokens: 2048,
    longPrefillTokenThreshold: 0,
    maxModelLen: 32768,
    enablePrefixCaching: true,
    enableChunkedPrefill: true,
    schedulingPolicy: "fcfs",
    asyncScheduling: true,
    rules: VLLM_VERSIONS["0.19"],
    ...change,
  };
}

/** Requests of mixed lengths that come at random, without shared content. */
export function randomWorkload(count: number, meanGapMs: number, seed = 1): RunWorkload {
  const random = randomStream(seed, "calibrate-test");
  const arrivalMs = new Float64Array(count);
  const inputTokens = new Int32Array(count);
  const outputTokens = new Int32Array(count);
  let atMs = 0;
  for (let row = 0; row < count; row++) {
    arrivalMs[row] = atMs;
    atMs += -meanGapMs * Math.log(1 - random.nextFloat());
    inputTokens[row] = 50 + random.nextInt(1500);
    outputTokens[row] = 20 + random.nextInt(300);
  }
  return { count, arrivalMs, inputTokens, outputTokens, content: () => emptySpan(16) };
}

/** Every combination of the values, measured with the step times of a profile. */
export function gridOf(
  profile: EngineProfile,
  chunks: readonly number[],
  cached: readonly number[],
  sequences: readonly number[],
  contexts: readonly number[],
): StepSample[] {
  const model = stepTimeModel(profile);
  const samples: StepSample[] = [];
  const measure = (sample: Omit<StepSample, "ms">): void => {
    samples.push({ ...sample, ms: model.stepMs(loadOf({ ...sample, ms: 0 })) });
  };
  for (const decodes of sequences) {
    for (const contextTokens of contexts) {
      measure({ chunks: 0, chunkTokens: 0, cachedTokens: 0, decodes, contextTokens });
    }
  }
  for (const chunkTokens of chunks) {
    for (const cachedTokens of cached) {
      measure({ chunks: 1, chunkTokens, cachedTokens, decodes: 0, contextTokens: 0 });
      for (const decodes of sequences) {
        for (const contextTokens of contexts) {
          measure({ chunks: 1, chunkTokens, cachedTokens, decodes, contextTokens });
        }
      }
    }
  }
  return samples;
}
