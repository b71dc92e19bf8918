import type { StepLoad } from "../engine/types.js";

/** One measured step. */
export interface StepSample {
  /** Prefill chunks, all of the same length and cached context; 0 in a step of decodes only. */
  readonly chunks: number;
  readonly chunkTokens: number;
  readonly cachedTokens: number;
  readonly decodes: number;
  /** Tokens that each decode attends to. */
  readonly contextTokens: number;
  readonly ms: number;
}

/** The load that a step-time model is asked about for this sample. */
export function loadOf(sample: StepSample): StepLoad {
  const { chunks, chunkTokens, cachedTokens, decodes, contextTokens } = sample;
  return {
    decodes,
    decodeContextTokens: decodes * contextTokens,
    decodeMaxContextTokens: contextTokens,
    prefills: chunks,
    prefillTokens: chunks * chunkTokens,
    prefillContextTokens: chunks * cachedTokens,
    prefillPairs: chunks * chunkTokens * (cachedTokens + chunkTokens / 2),
  };
}

/** What a sample measured, in words. */
export function describeSample({
  chunks,
  chunkTokens,
  cachedTokens,
  decodes,
  contextTokens,
}: StepSample): string {
  const prefill = `${chunks === 1 ? "a chunk" : `${chunks} chunks`} of ${chunkTokens} after ${cachedTokens}`;
  const decode = `${decodes} decodes at ${contextTokens}`;
  if (chunks === 0) return decode;
  return decodes === 0 ? prefill : `${prefill}, ${decode}`;
}
