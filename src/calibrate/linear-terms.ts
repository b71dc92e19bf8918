import type { EngineProfile } from "../engine/profile.js";
import type { StepLoad } from "../engine/types.js";
import { DEFAULT_CONTEXT_SKEW } from "./fit-grid.js";

/** The coefficients of a linear step time, in the order of `linearTerms`. */
export const LINEAR_COEFFICIENTS = [
  "decode base_ms",
  "decode per_sequence_ms",
  "decode per_context_token_ms",
  "prefill base_ms",
  "prefill per_token_ms",
  "prefill per_pair_ms",
  "mixed per_sequence_ms",
  "mixed per_context_token_ms",
] as const;

/** What the coefficients are multiplied with in one step. */
export function linearTerms(load: StepLoad): readonly number[] {
  const { decodes, prefillTokens, prefillPairs, decodeContextTokens } = load;
  const beyondMean = Math.max(0, decodes * load.decodeMaxContextTokens - decodeContextTokens);
  if (prefillTokens === 0) {
    if (decodes === 0) return [0, 0, 0, 0, 0, 0, 0, 0];
    return [1, decodes, decodeContextTokens + DEFAULT_CONTEXT_SKEW.decode * beyondMean, 0, 0, 0, 0, 0];
  }
  const context = decodeContextTokens + DEFAULT_CONTEXT_SKEW.mixed * beyondMean;
  return [0, 0, 0, 1, prefillTokens + decodes, prefillPairs, decodes, context];
}

/** The coefficients as the step times of a profile. */
export function linearStepTime(coefficients: readonly number[]): EngineProfile["step_time"] {
  const [base, perSequence, perContext, prefillBase, perToken, perPair, mixedSequence, mixedContext] =
    coefficients as [number, number, number, number, number, number, number, number];
  return {
    decode: [
      {
        from_sequences: 1,
        base_ms: base,
        per_sequence_ms: perSequence,
        per_context_token_ms: perContext,
      },
    ],
    prefill: {
      floor_ms: 0,
      base_ms: prefillBase,
      per_token_ms: perToken,
      per_request_ms: 0,
      per_pair_ms: perPair,
    },
    mixed: { per_sequence_ms: mixedSequence, per_context_token_ms: mixedContext },
  };
}
