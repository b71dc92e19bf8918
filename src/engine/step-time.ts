import { LinearDecode, LinearMixed, LinearPrefill } from "./step-time-linear.js";
import type { LinearDecodePiece, LinearMixedTerms, LinearPrefillTerms } from "./step-time-linear.js";
import { TableDecode, TableMixed, TablePrefill } from "./step-time-table.js";
import type { DecodeTable, MixedTable, PrefillTable } from "./step-time-table.js";
import type { DecodeLine, StepLoad, StepTimeModel } from "./types.js";

/** Time of a step of decodes only. */
export interface DecodeTime {
  ms(decodes: number, contextTokens: number): number;
  /** The straight stretch around `contextTokens`; `ms` lies on it. Valid for whole numbers of context tokens. */
  line(decodes: number, contextTokens: number, out: DecodeLine): void;
}

/** Time of a step of prefill chunks only: `tokens` in `requests` chunks with `pairs` attending pairs. */
export interface PrefillTime {
  ms(tokens: number, pairs: number, requests: number): number;
}

/** Time of a step that has both. */
export interface MixedTime {
  ms(load: StepLoad): number;
  /** What one token of context of every decode costs at this load, ms. */
  contextSlopeMs(load: StepLoad): number;
}

/**
 * What unequal contexts cost. Step times are measured with decodes of one context; where contexts differ, the
 * longest sequences keep a few multiprocessors busy while the others are done. As in LLMServingSim 2 the
 * attention takes `mean + share * (max - mean)`, `mean` with every context at the mean and `max` with every
 * context at the longest.
 */
export interface ContextSkew {
  /** Share in a step of decodes only, 0..1. */
  readonly decode: number;
  /** Share beside prefill chunks, 0..1. */
  readonly mixed: number;
}

/**
 * The tensor-parallel all-reduce, where the measured step times lack it: `count` per step, each of
 * `latencyUs` plus (tokens in the step) x `bytesPerToken` over `gigabytesPerSecond`.
 */
export interface AllReduce {
  readonly count: number;
  readonly latencyUs: number;
  readonly bytesPerToken: number;
  readonly gigabytesPerSecond: number;
}

/** How long steps take, as the three kinds of step that engines run. */
export interface StepTimeTerms {
  readonly decode: readonly LinearDecodePiece[] | DecodeTable;
  readonly prefill: LinearPrefillTerms | PrefillTable;
  readonly mixed: LinearMixedTerms | MixedTable;
  readonly skew: ContextSkew;
  /** Null where the step times contain it or there is one card. */
  readonly allReduce: AllReduce | null;
  /** Time of every step that is not on the card: scheduling and sampling on the host, ms. */
  readonly hostMs: number;
}

/** Builds the model that engines call; it allocates nothing per call. */
export function buildStepTime(terms: StepTimeTerms): StepTimeModel {
  const decode = "ms" in terms.decode ? new TableDecode(terms.decode) : new LinearDecode(terms.decode);
  const prefill =
    "base_ms" in terms.prefill ? new LinearPrefill(terms.prefill) : new TablePrefill(terms.prefill, decode);
  const mixed =
    "per_sequence_ms" in terms.mixed
      ? new LinearMixed(terms.mixed, decode, prefill)
      : new TableMixed(terms.mixed, decode, prefill);
  return new SteppedModel(decode, prefill, mixed, terms);
}

class SteppedModel implements StepTimeModel {
  private readonly decode: DecodeTime;
  private readonly prefill: PrefillTime;
  private readonly mixed: MixedTime;
  private readonly skew: ContextSkew;
  /** Time of every step beside the kernels, ms. */
  private readonly fixedMs: number;
  /** The same per token in the step. */
  private readonly perTokenMs: number;
  private readonly scratch: DecodeLine = { interceptMs: 0, slopeMsPerToken: 0, untilContextTokens: 0 };

  constructor(
    decode: DecodeTime,
    prefill: PrefillTime,
    mixed: MixedTime,
    { skew, allReduce, hostMs }: StepTimeTerms,
  ) {
    this.decode = decode;
    this.prefill = prefill;
    this.mixed = mixed;
    this.skew = skew;
    this.fixedMs = hostMs + (allReduce === null ? 0 : (allReduce.count * allReduce.latencyUs) / 1e3);
    this.perTokenMs =
      allReduce === null
        ? 0
        : (allReduce.count * allReduce.bytesPerToken) / (allReduce.gigabytesPerSecond * 1e6);
  }

  stepMs(load: StepLoad): number {
    const { decodes, decodeContextTokens, decodeMaxContextTokens, prefillTokens } = load;
    if (prefillTokens === 0) {
      if (decodes === 0) return 0;
      const line = this.scratch;
      this.decodeLine(decodes, decodeContextTokens, line, decodeMaxContextTokens);
      return line.interceptMs + line.slopeMsPerToken * decodeContextTokens;
    }
    if (decodes === 0) {
      return this.prefill.ms(prefillTokens, load.prefillPairs, load.prefills) + this.beside(prefillTokens);
    }
    const excess = decodeMaxContextTokens - decodeContextTokens / decodes;
    const skewMs = excess > 0 ? this.skew.mixed * this.mixed.contextSlopeMs(load) * excess : 0;
    return this.mixed.ms(load) + skewMs + this.beside(decodes + prefillTokens);
  }

  decodeLine(decodes: number, contextTokens: number, out: DecodeLine, maxContextTokens: number): void {
    this.decode.line(decodes, contextTokens, out);
    const excess = decodes * maxContextTokens - contextTokens;
    if (excess > 0) out.interceptMs += this.skew.decode * out.slopeMsPerToken * excess;
    out.interceptMs += this.beside(decodes);
  }

  private beside(tokens: number): number {
    return this.fixedMs + this.perTokenMs * tokens;
  }
}
