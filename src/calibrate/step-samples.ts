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
