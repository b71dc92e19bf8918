import type { DecodeTime, MixedTime, PrefillTime } from "./step-time.js";
import type { DecodeLine, StepLoad } from "./types.js";

/**
 * Measured times over a grid, interpolated linearly between its points and extrapolated with the slope of
 * its last cell. Linear, not logarithmic: left-out points of LLMServingSim's grids come
 * back within 2.3 to 3.7 % against 11.6 to 14.4 %. Axes ascend; `ms` is row-major over the axes in the order
 * of the fields.
 */
export interface DecodeTable {
  readonly sequences: readonly number[];
  /** Context of each sequence. */
  readonly context_tokens: readonly number[];
  readonly ms: readonly number[];
}

/** Over the tokens of one chunk and its cached context. */
export interface PrefillTable {
  readonly chunk_tokens: readonly number[];
  readonly cached_tokens: readonly number[];
  readonly ms: readonly number[];
}

/** Over one chunk, its cached context, and decodes with the context of each. */
export interface MixedTable {
  readonly chunk_tokens: readonly number[];
  readonly cached_tokens: readonly number[];
  readonly sequences: readonly number[];
  readonly context_tokens: readonly number[];
  readonly ms: readonly number[];
}

/** Index of the cell of `axis` that holds `value` (the first or last cell outside); 0 on an axis of one point. */
function cellOf(axis: Float64Array, value: number): number {
  let cell = axis.length - 2;
  while (cell > 0 && value < axis[cell]!) cell--;
  return cell < 0 ? 0 : cell;
}

/** Where `value` lies in its cell: 0 at the lower point, 1 at the upper; outside the grid beyond these. */
function fractionOf(axis: Float64Array, cell: number, value: number): number {
  const low = axis[cell]!;
  const high = axis[cell + 1];
  return high === undefined ? 0 : (value - low) / (high - low);
}

/** Decode-only steps: at a fixed number of sequences, straight in the sum of contexts between grid contexts. */
export class TableDecode implements DecodeTime {
  private readonly sequences: Float64Array;
  private readonly context: Float64Array;
  private readonly msAt: Float64Array;
  private readonly scratch: DecodeLine = { interceptMs: 0, slopeMsPerToken: 0, untilContextTokens: 0 };

  constructor(table: DecodeTable) {
    this.sequences = Float64Array.from(table.sequences);
    this.context = Float64Array.from(table.context_tokens);
    this.msAt = Float64Array.from(table.ms);
  }

  ms(decodes: number, contextTokens: number): number {
    this.line(decodes, contextTokens, this.scratch);
    return this.scratch.interceptMs + this.scratch.slopeMsPerToken * contextTokens;
  }

  line(decodes: number, contextTokens: number, out: DecodeLine): void {
    const { sequences, context } = this;
    const row = cellOf(sequences, decodes);
    const column = cellOf(context, contextTokens / decodes);
    const fraction = fractionOf(sequences, row, decodes);
    const low = this.between(row, column, fraction);
    if (column + 1 >= context.length) {
      out.interceptMs = low;
      out.slopeMsPerToken = 0;
      out.untilContextTokens = Infinity;
      return;
    }
    const high = this.between(row, column + 1, fraction);
    const from = context[column]! * decodes;
    const until = context[column + 1]! * decodes;
    out.slopeMsPerToken = (high - low) / (until - from);
    out.interceptMs = low - out.slopeMsPerToken * from;
    out.untilContextTokens = column + 2 < context.length ? until - 1 : Infinity;
  }

  /** Time at a grid context, `fraction` of the way from sequence row `row` to the next. */
  private between(row: number, column: number, fraction: number): number {
    const width = this.context.length;
    const low = this.msAt[row * width + column]!;
    return fraction === 0 ? low : low + fraction * (this.msAt[(row + 1) * width + column]! - low);
  }
}

/**
 * Prefill-only steps. Several chunks count as one chunk of all their tokens whose cached context gives the
 * same number of attending pairs; that context is negative when many short prompts share the step.
 * Below the first chunk of the grid the line is cut off at the time of a decode: both read the weights once.
 */
export class TablePrefill implements PrefillTime {
  private readonly chunk: Float64Array;
  private readonly cached: Float64Array;
  private readonly msAt: Float64Array;
  private readonly decode: DecodeTime;

  constructor(table: PrefillTable, decode: DecodeTime) {
    this.decode = decode;
    this.chunk = Float64Array.from(table.chunk_tokens);
    this.cached = Float64Array.from(table.cached_tokens);
    this.msAt = Float64Array.from(table.ms);
  }

  ms(tokens: number, pairs: number): number {
    const cachedTokens = pairs / tokens - tokens / 2;
    const row = cellOf(this.chunk, tokens);
    const column = cellOf(this.cached, cachedTokens);
    const across = fractionOf(this.cached, column, cachedTokens);
    const low = this.along(row, column, across);
    if (row + 1 >= this.chunk.length) return low;
    const fraction = fractionOf(this.chunk, row, tokens);
    const ms = low + fraction * (this.along(row + 1, column, across) - low);
    return fraction >= 0 ? ms : Math.max(ms, this.decode.ms(1, pairs / tokens));
  }

  private along(row: number, column: number, fraction: number): number {
    const at = row * this.cached.length + column;
    const low = this.msAt[at]!;
    return fraction === 0 ? low : low + fraction * (this.msAt[at + 1]! - low);
  }
}

/**
 * Steps of chunks and decodes: linear in each of the four axes; never below the decodes alone. Tokens beyond
 * the longest chunk of the grid cost what they cost without decodes.
 */
export class TableMixed implements MixedTime {
  private readonly chunk: Float64Array;
  private readonly cached: Float64Array;
  private readonly sequences: Float64Array;
  private readonly context: Float64Array;
  private readonly msAt: Float64Array;
  private readonly longestChunk: number;
  private readonly decode: DecodeTime;
  private readonly prefill: PrefillTime;

  constructor(table: MixedTable, decode: DecodeTime, prefill: PrefillTime) {
    this.chunk = Float64Array.from(table.chunk_tokens);
    this.cached = Float64Array.from(table.cached_tokens);
    this.sequences = Float64Array.from(table.sequences);
    this.context = Float64Array.from(table.context_tokens);
    this.msAt = Float64Array.from(table.ms);
    this.longestChunk = this.chunk[this.chunk.length - 1]!;
    this.decode = decode;
    this.prefill = prefill;
  }

  ms(load: StepLoad): number {
    const { decodes, decodeContextTokens, prefillTokens, prefillPairs, prefills } = load;
    const cachedTokens = prefillPairs / prefillTokens - prefillTokens / 2;
    const inGrid = Math.min(prefillTokens, this.longestChunk);
    let together = this.interpolate(inGrid, cachedTokens, decodes, decodeContextTokens / decodes);
    if (prefillTokens > inGrid) {
      together +=
        this.prefill.ms(prefillTokens, prefillPairs, prefills) -
        this.prefill.ms(inGrid, inGrid * (cachedTokens + inGrid / 2), prefills);
    }
    const decodesAlone = this.decode.ms(decodes, decodeContextTokens);
    return together > decodesAlone ? together : decodesAlone;
  }

  contextSlopeMs(load: StepLoad): number {
    const { decodes, decodeContextTokens, prefillTokens, prefillPairs } = load;
    const cell = cellOf(this.context, decodeContextTokens / decodes);
    const low = this.context[cell]!;
    const high = this.context[cell + 1];
    if (high === undefined) return 0;
    const cachedTokens = prefillPairs / prefillTokens - prefillTokens / 2;
    const inGrid = Math.min(prefillTokens, this.longestChunk);
    const rise =
      this.interpolate(inGrid, cachedTokens, decodes, high) -
      this.interpolate(inGrid, cachedTokens, decodes, low);
    return rise > 0 ? rise / (high - low) : 0;
  }

  private interpolate(chunk: number, cached: number, sequences: number, context: number): number {
    const i = cellOf(this.chunk, chunk);
    const j = cellOf(this.cached, cached);
    const k = cellOf(this.sequences, sequences);
    const l = cellOf(this.context, context);
    const fi = fractionOf(this.chunk, i, chunk);
    const fj = fractionOf(this.cached, j, cached);
    const fk = fractionOf(this.sequences, k, sequences);
    const fl = fractionOf(this.context, l, context);
    let ms = 0;
    for (let corner = 0; corner < 16; corner++) {
      const weight =
        ((corner & 8) === 0 ? 1 - fi : fi) *
        ((corner & 4) === 0 ? 1 - fj : fj) *
        ((corner & 2) === 0 ? 1 - fk : fk) *
        ((corner & 1) === 0 ? 1 - fl : fl);
      if (weight === 0) continue;
      const row = (i + (corner >> 3)) * this.cached.length + j + ((corner >> 2) & 1);
      const column = (k + ((corner >> 1) & 1)) * this.context.length + l + (corner & 1);
      ms += weight * this.msAt[row * this.sequences.length * this.context.length + column]!;
    }
    return ms;
  }
}
