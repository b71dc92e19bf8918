import type { LinearDecodePiece, LinearPrefillTerms } from "../engine/step-time-linear.js";
import type { DecodeTable, MixedTable, PrefillTable } from "../engine/step-time-table.js";
import { fitRelative, predict } from "./robust-fit.js";
import type { Fit, Observation } from "./robust-fit.js";
import type { StepSample } from "./step-samples.js";

/** A line through decode-only steps: `base + perSequence x sequences + perContextToken x context`. */
export function fitLinearDecode(samples: readonly StepSample[]): { piece: LinearDecodePiece; fit: Fit } {
  const fit = fitRelative(
    samples.map(({ decodes, contextTokens, ms }) => ({
      terms: [1, decodes, decodes * contextTokens],
      target: ms,
    })),
  );
  const [base, perSequence, perContextToken] = fit.coefficients;
  return {
    piece: {
      from_sequences: 1,
      base_ms: base!,
      per_sequence_ms: perSequence!,
      per_context_token_ms: perContextToken!,
    },
    fit,
  };
}

/**
 * A line with a floor through prefill-only steps. Which of the smallest chunks lie on the floor is found by
 * trying: the split with the least mean error wins.
 */
export function fitLinearPrefill(samples: readonly StepSample[]): { terms: LinearPrefillTerms; fit: Fit } {
  const byTokens = [...samples].sort((a, b) => a.chunks * a.chunkTokens - b.chunks * b.chunkTokens);
  let best: { terms: LinearPrefillTerms; fit: Fit } | null = null;
  const mostOnFloor = Math.min(3, Math.max(0, samples.length - 4));
  for (let onFloor = 0; onFloor <= mostOnFloor; onFloor++) {
    const candidate = fitWithFloor(byTokens, onFloor);
    if (best === null || candidate.fit.meanErrorPct < best.fit.meanErrorPct) best = candidate;
  }
  return best!;
}

function fitWithFloor(
  byTokens: readonly StepSample[],
  onFloor: number,
): { terms: LinearPrefillTerms; fit: Fit } {
  const observations = byTokens.map((sample, i): Observation => {
    const { chunks, chunkTokens, cachedTokens, ms } = sample;
    const pairs = chunks * chunkTokens * (cachedTokens + chunkTokens / 2);
    const terms = i < onFloor ? [1, 0, 0, pairs] : [0, 1, chunks * chunkTokens, pairs];
    return { terms, target: ms };
  });
  const [floor, base, perToken, perPair] = fitRelative(observations).coefficients;
  const terms: LinearPrefillTerms = {
    floor_ms: floor!,
    base_ms: base!,
    per_token_ms: perToken!,
    per_request_ms: 0,
    per_pair_ms: perPair!,
  };
  return { terms, fit: errorsOf(byTokens, (sample) => linearPrefillMs(terms, sample)) };
}

function linearPrefillMs(terms: LinearPrefillTerms, sample: StepSample): number {
  const tokens = sample.chunks * sample.chunkTokens;
  const dense = terms.base_ms + terms.per_token_ms * tokens + terms.per_request_ms * sample.chunks;
  const pairs = tokens * (sample.cachedTokens + sample.chunkTokens / 2);
  return predict([1, terms.per_pair_ms], [Math.max(terms.floor_ms, dense), pairs]);
}

/** Mean and largest relative error of a model over samples. */
export function errorsOf(samples: readonly StepSample[], msOf: (sample: StepSample) => number): Fit {
  const errors = samples.map((sample) => (100 * Math.abs(msOf(sample) - sample.ms)) / sample.ms);
  return {
    coefficients: [],
    meanErrorPct: errors.reduce((sum, error) => sum + error, 0) / Math.max(1, errors.length),
    maxErrorPct: Math.max(0, ...errors),
  };
}

/** The samples as a table, or null where they are not a complete grid. */
export function decodeTable(samples: readonly StepSample[]): DecodeTable | null {
  const sequences = distinct(samples.map((sample) => sample.decodes));
  const context_tokens = distinct(samples.map((sample) => sample.contextTokens));
  const ms = gridOf(samples, [
    { axis: sequences, of: (sample) => sample.decodes },
    { axis: context_tokens, of: (sample) => sample.contextTokens },
  ]);
  return ms === null ? null : { sequences, context_tokens, ms };
}

/** The samples as a table, or null where they are not a complete grid. */
export function prefillTable(samples: readonly StepSample[]): PrefillTable | null {
  const chunk_tokens = distinct(samples.map((sample) => sample.chunkTokens));
  const cached_tokens = distinct(samples.map((sample) => sample.cachedTokens));
  const ms = gridOf(samples, [
    { axis: chunk_tokens, of: (sample) => sample.chunkTokens },
    { axis: cached_tokens, of: (sample) => sample.cachedTokens },
  ]);
  return ms === null ? null : { chunk_tokens, cached_tokens, ms };
}

/** The samples as a table, or null where they are not a complete grid. */
export function mixedTable(samples: readonly StepSample[]): MixedTable | null {
  const chunk_tokens = distinct(samples.map((sample) => sample.chunkTokens));
  const cached_tokens = distinct(samples.map((sample) => sample.cachedTokens));
  const sequences = distinct(samples.map((sample) => sample.decodes));
  const context_tokens = distinct(samples.map((sample) => sample.contextTokens));
  const ms = gridOf(samples, [
    { axis: chunk_tokens, of: (sample) => sample.chunkTokens },
    { axis: cached_tokens, of: (sample) => sample.cachedTokens },
    { axis: sequences, of: (sample) => sample.decodes },
    { axis: context_tokens, of: (sample) => sample.contextTokens },
  ]);
  return ms === null ? null : { chunk_tokens, cached_tokens, sequences, context_tokens, ms };
}

interface Dimension {
  readonly axis: readonly number[];
  readonly of: (sample: StepSample) => number;
}

/** Row-major times over all dimensions, or null where a point is missing. */
function gridOf(samples: readonly StepSample[], dimensions: readonly Dimension[]): number[] | null {
  const size = dimensions.reduce((product, { axis }) => product * axis.length, 1);
  const ms = new Array<number>(size).fill(NaN);
  for (const sample of samples) {
    const at = dimensions.reduce((index, { axis, of }) => index * axis.length + axis.indexOf(of(sample)), 0);
    ms[at] = sample.ms;
  }
  return samples.length === 0 || ms.some(Number.isNaN) ? null : ms;
}

function distinct(values: readonly number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}
