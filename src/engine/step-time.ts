import { LinearDecode, LinearMixed, LinearPrefill } from "./step-time-linear.js";
import type { LinearDecodePiece, LinearMixedTerms, LinearPrefillTerms } from "./step-time-linear.js";
import { TableDecode, TableMixed, TablePrefill } from "./step-time-table.js";
import type { DecodeTable, MixedTable, PrefillTable } from "./step-time-table.js";
import type { DecodeLine, StepLoad, StepTimeModel } from "./types.js";

/** Time of a step of decodes only. */
export interface DecodeTime {
  ms(decodes: number, contextTokens: number): number;
  /** The straight stretch around `contextTokens`; `ms` lies on it. */
  line(decodes: number, contextTokens: number, out: DecodeLine): void;
}

/** Time of a step of prefill chunks only: `tokens` in `requests` chunks with `pairs` attending pairs. */
export interface PrefillTime {
  ms(tokens: number, pairs: number, requests: number): number;
}

/** Time of a step that has both. */
export interface MixedTime {
  ms(load: StepLoad): number;
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
  return new SteppedModel(decode, prefill, mixed, terms.allReduce, terms.hostMs);
}

class SteppedModel implements StepTimeModel {
  private readonly decode: DecodeTime;
  private readonly prefill: PrefillTime;
  private readonly mixed: MixedTime;
  /** Time of every step beside the kernels, ms. */
  private readonly fixedMs: number;
  /** The same per token in the step. */
  private readonly perTokenMs: number;

  constructor(
    decode: DecodeTime,
    prefill: PrefillTime,
    mixed: MixedTime,
    allReduce: AllReduce | null,
    hostMs: number,
  ) {
    this.decode = decode;
    this.prefill = prefill;
    this.mixed = mixed;
    this.fixedMs = hostMs + (allReduce === null ? 0 : (allReduce.count * allReduce.latencyUs) / 1e3);
    this.perTokenMs =
      allReduce === null
        ? 0
        : (allReduce.count * allReduce.bytesPerToken) / (allReduce.gigabytesPerSecond * 1e6);
  }

  stepMs(load: StepLoad): number {
    const { decodes, prefillTokens } = load;
    if (prefillTokens === 0) {
      if (decodes === 0) return 0;
      return this.decode.ms(decodes, load.decodeContextTokens) + this.beside(decodes);
    }
    if (decodes === 0) {
      return this.prefill.ms(prefillTokens, load.prefillPairs, load.prefills) + this.beside(prefillTokens);
    }
    return this.mixed.ms(load) + this.beside(decodes + prefillTokens);
  }

  decodeLine(decodes: number, contextTokens: number, out: DecodeLine): void {
    this.decode.line(decodes, contextTokens, out);
    out.interceptMs += this.beside(decodes);
  }

  private beside(tokens: number): number {
    return this.fixedMs + this.perTokenMs * tokens;
  }
}
