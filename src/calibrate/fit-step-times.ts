import type { LinearDecodePiece, LinearMixedTerms, LinearPrefillTerms } from "../engine/step-time-linear.js";
import { LinearPrefill } from "../engine/step-time-linear.js";
import { TablePrefill } from "../engine/step-time-table.js";
import type { PrefillTable } from "../engine/step-time-table.js";
import { LinearDecode } from "../engine/step-time-linear.js";
import { fitRelative } from "./robust-fit.js";
import type { Observation } from "./robust-fit.js";
import { loadOf } from "./step-samples.js";
import type { StepSample } from "./step-samples.js";

/** A line through decode-only steps: `base + perSequence x sequences + perContextToken x context`. */
export function fitLinearDecode(samples: readonly StepSample[]): LinearDecodePiece {
  const [base, perSequence, perContextToken] = fitRelative(
    samples.map(({ decodes, contextTokens, ms }) => ({
      terms: [1, decodes, decodes * contextTokens],
      target: ms,
    })),
  );
  return {
    from_sequences: 1,
    base_ms: base!,
    per_sequence_ms: perSequence!,
    per_context_token_ms: perContextToken!,
  };
}

/**
 * A line with a floor through prefill-only steps. Which of the smallest chunks lie on the floor is found by
 * trying: the split with the least mean error wins.
 */
export function fitLinearPrefill(samples: readonly StepSample[]): LinearPrefillTerms {
  const byTokens = [...samples].sort((a, b) => a.chunks * a.chunkTokens - b.chunks * b.chunkTokens);
  let best: LinearPrefillTerms | null = null;
  let leastError = Infinity;
  const mostOnFloor = Math.min(3, Math.max(0, samples.length - 4));
  for (let onFloor = 0; onFloor <= mostOnFloor; onFloor++) {
    const terms = fitWithFloor(byTokens, onFloor);
    const error = meanError(byTokens, (sample) => linearPrefillMs(terms, sample));
    if (error >= leastError) continue;
    best = terms;
    leastError = error;
  }
  return best!;
}

function fitWithFloor(byTokens: readonly StepSample[], onFloor: number): LinearPrefillTerms {
  const observations = byTokens.map((sample, i): Observation => {
    const { prefillTokens, prefillPairs } = loadOf(sample);
    const terms = i < onFloor ? [1, 0, 0, prefillPairs] : [0, 1, prefillTokens, prefillPairs];
    return { terms, target: sample.ms };
  });
  const [floor, base, perToken, perPair] = fitRelative(observations);
  return {
    floor_ms: floor!,
    base_ms: base!,
    per_token_ms: perToken!,
    per_request_ms: 0,
    per_pair_ms: perPair!,
  };
}

/**
 * What decodes cost beside chunks, over the prefill time of all tokens of the step; steps that come out faster
 * than the prefill alone say nothing.
 */
export function fitLinearMixed(
  samples: readonly StepSample[],
  prefill: LinearPrefillTerms | PrefillTable,
  decode: LinearDecodePiece,
): LinearMixedTerms {
  const alone =
    "ms" in prefill ? new TablePrefill(prefill, new LinearDecode([decode])) : new LinearPrefill(prefill);
  const observations = samples.map((sample) => {
    const { prefillTokens, prefillPairs, prefills, decodes, decodeContextTokens } = loadOf(sample);
    return {
      terms: [decodes, decodeContextTokens],
      target: sample.ms - alone.ms(prefillTokens + decodes, prefillPairs, prefills),
    };
  });
  const [perSequence, perContextToken] = fitRelative(observations.filter(({ target }) => target > 0));
  return { per_sequence_ms: perSequence ?? 0, per_context_token_ms: perContextToken ?? 0 };
}

/** What a linear prefill says of a sample. */
export function linearPrefillMs(terms: LinearPrefillTerms, sample: StepSample): number {
  const { prefillTokens, prefillPairs, prefills } = loadOf(sample);
  return new LinearPrefill(terms).ms(prefillTokens, prefillPairs, prefills);
}

function meanError(samples: readonly StepSample[], msOf: (sample: StepSample) => number): number {
  const total = samples.reduce((sum, sample) => sum + Math.abs(msOf(sample) - sample.ms) / sample.ms, 0);
  return total / samples.length;
}
