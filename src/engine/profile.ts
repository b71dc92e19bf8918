import { z } from "zod";
import { InputError } from "../errors.js";
import { modelShape } from "./model-shapes.js";
import type { ModelShape } from "./model-shapes.js";
import { buildStepTime } from "./step-time.js";
import type { StepTimeModel } from "./types.js";

const ms = z.number().nonnegative();
const tokens = z.int().positive();
const axis = z.array(z.int().nonnegative()).min(1).readonly().refine(ascends, "must ascend");
const values = z.array(ms).readonly();

const shapeSchema = z.strictObject({
  name: z.string().min(1),
  layers: tokens,
  hidden: tokens,
  kv_heads: tokens,
  head_dim: tokens,
  parameters: z.number().positive(),
  vocabulary: tokens,
  intermediate: tokens,
  kv_latent_elements: z.int().nonnegative().default(0),
  /** Bytes of one element of the KV cache: 2 for bf16, 1 for fp8. */
  kv_dtype_bytes: z.number().positive().default(2),
  /** Bytes of one weight: 2 for bf16, 1 for fp8. */
  weight_bytes: z.number().positive().default(2),
});

const decodeSchema = z.union([
  z
    .array(
      z.strictObject({
        from_sequences: z.int().nonnegative(),
        base_ms: ms,
        per_sequence_ms: ms,
        per_context_token_ms: ms,
      }),
    )
    .min(1)
    .readonly()
    .refine((pieces) => ascends(pieces.map((piece) => piece.from_sequences)), "from_sequences must ascend"),
  z
    .strictObject({ sequences: axis, context_tokens: axis, ms: values })
    .refine(
      (t) => t.ms.length === t.sequences.length * t.context_tokens.length,
      "ms must have one value per grid point",
    ),
]);

const prefillSchema = z.union([
  z.strictObject({ floor_ms: ms, base_ms: ms, per_token_ms: ms, per_request_ms: ms, per_pair_ms: ms }),
  z
    .strictObject({ chunk_tokens: axis, cached_tokens: axis, ms: values })
    .refine(
      (t) => t.ms.length === t.chunk_tokens.length * t.cached_tokens.length,
      "ms must have one value per grid point",
    ),
]);

const mixedSchema = z.union([
  z.strictObject({ per_sequence_ms: ms, per_context_token_ms: ms }),
  z
    .strictObject({
      chunk_tokens: axis,
      cached_tokens: axis,
      sequences: axis,
      context_tokens: axis,
      ms: values,
    })
    .refine(
      (t) =>
        t.ms.length ===
        t.chunk_tokens.length * t.cached_tokens.length * t.sequences.length * t.context_tokens.length,
      "ms must have one value per grid point",
    ),
]);

const profileSchema = z.strictObject({
  name: z.string().min(1),
  model: shapeSchema,
  hardware: z.strictObject({
    name: z.string().min(1),
    /** Memory of one card as the driver reports it; null = unknown. */
    memory_bytes: z.number().positive().nullable(),
  }),
  tp: tokens,
  /** Where the step times come from. */
  source: z.string().min(1),
  /** What the whole model was held against, or that it was not. */
  validation: z.string().min(1),
  /** Error of the step times below against the measurements they were made from, percent. */
  fit_error: z.strictObject({
    decode_mean_pct: ms.nullable(),
    decode_max_pct: ms.nullable(),
    prefill_mean_pct: ms.nullable(),
    prefill_max_pct: ms.nullable(),
    mixed_mean_pct: ms.nullable(),
    mixed_max_pct: ms.nullable(),
  }),
  step_time: z.strictObject({ decode: decodeSchema, prefill: prefillSchema, mixed: mixedSchema }),
  /** Share of the longest context in the attention of decodes with unequal contexts. */
  context_skew: z
    .strictObject({ decode: z.number().min(0).max(1), mixed: z.number().min(0).max(1) })
    .default({ decode: 0, mixed: 0 }),
  /** Tensor-parallel all-reduce, where the step times lack it. */
  all_reduce: z
    .strictObject({
      per_layer: z.number().positive().default(2),
      latency_us: ms,
      gigabytes_per_second: z.number().positive(),
    })
    .nullable()
    .default(null),
  overheads: z.strictObject({
    /** From the client's send to the engine's queue. */
    http_ms: ms,
    /** From an idle engine's queue to the start of the step. */
    schedule_ms: ms,
    /** From the end of a step until its tokens are with the client. */
    first_token_ms: ms,
    /** Time of every step that is not on the card. */
    step_host_ms: ms,
  }),
  /** Share of the card that vLLM may use. */
  gpu_memory_utilization: z.number().positive().max(1).default(0.9),
  /** Tokens of KV cache of the whole engine; null = derived from the card's memory. */
  kv_capacity_tokens: z.number().positive().nullable().default(null),
});

/**
 * What is known of one model on one kind of card at one tensor-parallel degree: how long its steps take and
 * how much KV it holds. Snake case, as it is written to YAML.
 */
export type EngineProfile = z.infer<typeof profileSchema>;

/** The model part of a profile. */
export type ProfileModel = EngineProfile["model"];

/**
 * Checks a profile read from `file`.
 * @throws InputError naming the file, the field, its value and what was expected.
 */
export function parseProfile(object: unknown, file: string): EngineProfile {
  const result = profileSchema.safeParse(object);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const field = issue.path.length === 0 ? "profile" : issue.path.join(".");
  throw new InputError(`${file}: ${field}: ${issue.message}`);
}

/** The model part of a profile for a known model. @throws InputError for an unknown name. */
export function profileModel(name: string, kvDtypeBytes: number, weightBytes: number): ProfileModel {
  return modelOfShape(name, modelShape(name), kvDtypeBytes, weightBytes);
}

/** The model part of a profile for a model of any shape. */
export function modelOfShape(
  name: string,
  shape: ModelShape,
  kvDtypeBytes: number,
  weightBytes: number,
): ProfileModel {
  return {
    name,
    layers: shape.layers,
    hidden: shape.hidden,
    kv_heads: shape.kvHeads,
    head_dim: shape.headDim,
    parameters: shape.parameters,
    vocabulary: shape.vocabulary,
    intermediate: shape.intermediate,
    kv_latent_elements: shape.kvLatentElements,
    kv_dtype_bytes: kvDtypeBytes,
    weight_bytes: weightBytes,
  };
}

/** How long steps of this profile take. */
export function stepTimeModel(profile: EngineProfile): StepTimeModel {
  const { step_time, all_reduce, model, overheads } = profile;
  return buildStepTime({
    ...step_time,
    skew: profile.context_skew,
    hostMs: overheads.step_host_ms,
    allReduce:
      all_reduce === null || profile.tp === 1
        ? null
        : {
            count: all_reduce.per_layer * model.layers,
            latencyUs: all_reduce.latency_us,
            bytesPerToken: 2 * model.hidden,
            gigabytesPerSecond: all_reduce.gigabytes_per_second,
          },
  });
}

/** Bytes of KV that one token has in the whole engine: what a transfer between engines moves. */
export function kvBytesPerToken(profile: EngineProfile): number {
  const { layers, kv_heads, head_dim, kv_latent_elements, kv_dtype_bytes } = profile.model;
  const elements = kv_latent_elements > 0 ? kv_latent_elements : 2 * kv_heads * head_dim;
  return layers * elements * kv_dtype_bytes;
}

/** Bytes of KV that one token takes on each card: heads are split over the cards, a latent vector is not. */
export function kvBytesPerTokenAndCard(profile: EngineProfile): number {
  const { layers, kv_heads, head_dim, kv_latent_elements, kv_dtype_bytes } = profile.model;
  const elements =
    kv_latent_elements > 0 ? kv_latent_elements : 2 * Math.max(1, kv_heads / profile.tp) * head_dim;
  return layers * elements * kv_dtype_bytes;
}

/** Batch limits that the size of vLLM's activations depends on. */
export interface BatchLimits {
  readonly maxNumSeqs: number;
  readonly maxNumBatchedTokens: number;
}

const DEFAULT_LIMITS: BatchLimits = { maxNumSeqs: 256, maxNumBatchedTokens: 8192 };

/**
 * CUDA context, communication buffers, captured graphs and fragmentation on each card: what was left over in a
 * run of Llama-3.1-8B with vLLM 0.19 on an RTX 4090 that recorded its KV blocks.
 */
const OUTSIDE_TORCH_BYTES = 0.85 * 2 ** 30;

/**
 * Tokens of KV cache that the engine holds: the profile's own figure, or what vLLM's start-up leaves for it,
 * `gpu_memory_utilization * memory - weights - activation peak - memory outside torch`.
 * @throws InputError where neither is known or the weights do not fit.
 */
export function kvCapacityTokens(profile: EngineProfile, limits = DEFAULT_LIMITS): number {
  if (profile.kv_capacity_tokens !== null) return profile.kv_capacity_tokens;
  const { hardware, model, tp } = profile;
  if (hardware.memory_bytes === null) {
    throw new InputError(
      `profile ${profile.name}: kv_capacity_tokens is not given and hardware.memory_bytes is unknown; state one`,
    );
  }
  const usable = hardware.memory_bytes * profile.gpu_memory_utilization;
  const weights = (model.parameters * model.weight_bytes) / tp;
  const free = usable - weights - activationPeakBytes(model, tp, limits) - OUTSIDE_TORCH_BYTES;
  const capacity = Math.floor(free / kvBytesPerTokenAndCard(profile));
  if (capacity < 1) {
    throw new InputError(
      `profile ${profile.name}: ${gib(weights)} GiB of weights per card leave no room for KV in ` +
        `${gib(usable)} GiB (hardware.memory_bytes x gpu_memory_utilization)`,
    );
  }
  return capacity;
}

/**
 * Memory at the peak of vLLM's profiling step: gate, up and activated MLP values of a full token budget, and
 * the sampler's logits in 16 and twice in 32 bits.
 */
function activationPeakBytes(model: ProfileModel, tp: number, limits: BatchLimits): number {
  const mlp = limits.maxNumBatchedTokens * 2 * (2 * model.hidden + (3 * model.intermediate) / tp);
  const sampler = limits.maxNumSeqs * model.vocabulary * (2 + 4 + 4);
  return Math.max(mlp, sampler);
}

function gib(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(1);
}

/** KV blocks of `blockSize` tokens on the card (vLLM's `num_gpu_blocks`, the null block included). */
export function kvBlocks(profile: EngineProfile, blockSize: number, limits = DEFAULT_LIMITS): number {
  return Math.floor(kvCapacityTokens(profile, limits) / blockSize);
}

function ascends(values: readonly number[]): boolean {
  return values.every((value, i) => i === 0 || value > values[i - 1]!);
}
