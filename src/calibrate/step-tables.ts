import type { DecodeTable, MixedTable, PrefillTable } from "../engine/step-time-table.js";
import type { StepSample } from "./step-samples.js";

/** The samples as a table, or null where they are not a complete grid. */
export function decodeTable(samples: readonly StepSample[]): DecodeTable | null {
  const sequences = distinct(samples, decodes);
  const context_tokens = distinct(samples, context);
  const ms = gridOf(samples, [
    { axis: sequences, of: decodes },
    { axis: context_tokens, of: context },
  ]);
  return ms && { sequences, context_tokens, ms };
}

/** The samples as a table, or null where they are not a complete grid of single chunks. */
export function prefillTable(samples: readonly StepSample[]): PrefillTable | null {
  const chunk_tokens = distinct(samples, chunk);
  const cached_tokens = distinct(samples, cached);
  const ms = gridOf(samples, [
    { axis: chunk_tokens, of: chunk },
    { axis: cached_tokens, of: cached },
  ]);
  return ms && { chunk_tokens, cached_tokens, ms };
}

/** The samples as a table, or null where they are not a complete grid of single chunks. */
export function mixedTable(samples: readonly StepSample[]): MixedTable | null {
  const chunk_tokens = distinct(samples, chunk);
  const cached_tokens = distinct(samples, cached);
  const sequences = distinct(samples, decodes);
  const context_tokens = distinct(samples, context);
  const ms = gridOf(samples, [
    { axis: chunk_tokens, of: chunk },
    { axis: cached_tokens, of: cached },
    { axis: sequences, of: decodes },
    { axis: context_tokens, of: context },
  ]);
  return ms && { chunk_tokens, cached_tokens, sequences, context_tokens, ms };
}

/** Tokens of the chunk. */
export function chunk(sample: StepSample): number {
  return sample.chunkTokens;
}

/** Cached context of the chunk. */
export function cached(sample: StepSample): number {
  return sample.cachedTokens;
}

/** Sequences that decode. */
export function decodes(sample: StepSample): number {
  return sample.decodes;
}

/** Context of each decode. */
export function context(sample: StepSample): number {
  return sample.contextTokens;
}

interface Dimension {
  readonly axis: readonly number[];
  readonly of: (sample: StepSample) => number;
}

/** Row-major times over all dimensions, the mean of repeats; null where a point is missing. */
function gridOf(samples: readonly StepSample[], dimensions: readonly Dimension[]): number[] | null {
  if (samples.length === 0 || samples.some((sample) => sample.chunks > 1)) return null;
  const size = dimensions.reduce((product, { axis }) => product * axis.length, 1);
  const sums = new Array<number>(size).fill(0);
  const repeats = new Array<number>(size).fill(0);
  for (const sample of samples) {
    const at = dimensions.reduce((index, { axis, of }) => index * axis.length + axis.indexOf(of(sample)), 0);
    sums[at]! += sample.ms;
    repeats[at]!++;
  }
  return repeats.includes(0) ? null : sums.map((sum, i) => sum / repeats[i]!);
}

function distinct(samples: readonly StepSample[], of: (sample: StepSample) => number): number[] {
  return [...new Set(samples.map(of))].sort((a, b) => a - b);
}
