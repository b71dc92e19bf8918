import type { DecodeTime, MixedTime, PrefillTime } from "./step-time.js";
import type { DecodeLine, StepLoad } from "./types.js";

/** `base + perSequence x sequences + perContextToken x context`, for batches of at least `from_sequences`. */
export interface LinearDecodePiece {
  readonly from_sequences: number;
  readonly base_ms: number;
  readonly per_sequence_ms: number;
  readonly per_context_token_ms: number;
}

/**
 * `max(floor, base + perToken x tokens + perRequest x requests) + perPair x pairs`. The floor is the time to
 * read the weights once: small chunks are bound by memory, not by arithmetic.
 */
export interface LinearPrefillTerms {
  readonly floor_ms: number;
  readonly base_ms: number;
  readonly per_token_ms: number;
  readonly per_request_ms: number;
  readonly per_pair_ms: number;
}

/**
 * Decodes that share a step with prefill chunks: their tokens join the chunks' in the matrix products, but
 * their attention has coefficients of its own (1.7 to 2.1 times those of a pure decode step in vLLM 0.19's
 * kernels on RTX 4090 and RTX PRO 6000, because the decode kernel is not used).
 */
export interface LinearMixedTerms {
  readonly per_sequence_ms: number;
  readonly per_context_token_ms: number;
}

/** Straight lines per range of batch size. */
export class LinearDecode implements DecodeTime {
  private readonly fromSequences: Float64Array;
  private readonly baseMs: Float64Array;
  private readonly perSequenceMs: Float64Array;
  private readonly perContextTokenMs: Float64Array;

  /** @param pieces in ascending order of `from_sequences`; smaller batches use the first. */
  constructor(pieces: readonly LinearDecodePiece[]) {
    this.fromSequences = Float64Array.from(pieces, (piece) => piece.from_sequences);
    this.baseMs = Float64Array.from(pieces, (piece) => piece.base_ms);
    this.perSequenceMs = Float64Array.from(pieces, (piece) => piece.per_sequence_ms);
    this.perContextTokenMs = Float64Array.from(pieces, (piece) => piece.per_context_token_ms);
  }

  ms(decodes: number, contextTokens: number): number {
    const piece = this.pieceOf(decodes);
    return (
      this.baseMs[piece]! +
      this.perSequenceMs[piece]! * decodes +
      this.perContextTokenMs[piece]! * contextTokens
    );
  }

  line(decodes: number, _contextTokens: number, out: DecodeLine): void {
    const piece = this.pieceOf(decodes);
    out.interceptMs = this.baseMs[piece]! + this.perSequenceMs[piece]! * decodes;
    out.slopeMsPerToken = this.perContextTokenMs[piece]!;
    out.untilContextTokens = Infinity;
  }

  private pieceOf(decodes: number): number {
    let piece = this.fromSequences.length - 1;
    while (piece > 0 && decodes < this.fromSequences[piece]!) piece--;
    return piece;
  }
}

/** A straight line in tokens with a floor, and attention by pairs. */
export class LinearPrefill implements PrefillTime {
  private readonly terms: LinearPrefillTerms;

  constructor(terms: LinearPrefillTerms) {
    this.terms = terms;
  }

  ms(tokens: number, pairs: number, requests: number): number {
    const { floor_ms, base_ms, per_token_ms, per_request_ms, per_pair_ms } = this.terms;
    const dense = base_ms + per_token_ms * tokens + per_request_ms * requests;
    return (dense > floor_ms ? dense : floor_ms) + per_pair_ms * pairs;
  }
}

/** Prefill time of all tokens of the step, plus the decodes' attention; never below the decodes alone. */
export class LinearMixed implements MixedTime {
  private readonly perSequenceMs: number;
  private readonly perContextTokenMs: number;
  private readonly decode: DecodeTime;
  private readonly prefill: PrefillTime;

  constructor(terms: LinearMixedTerms, decode: DecodeTime, prefill: PrefillTime) {
    this.perSequenceMs = terms.per_sequence_ms;
    this.perContextTokenMs = terms.per_context_token_ms;
    this.decode = decode;
    this.prefill = prefill;
  }

  ms(load: StepLoad): number {
    const { decodes, decodeContextTokens } = load;
    const together =
      this.prefill.ms(load.prefillTokens + decodes, load.prefillPairs, load.prefills) +
      this.perSequenceMs * decodes +
      this.perContextTokenMs * decodeContextTokens;
    const decodesAlone = this.decode.ms(decodes, decodeContextTokens);
    return together > decodesAlone ? together : decodesAlone;
  }

  contextSlopeMs({ decodes }: StepLoad): number {
    return this.perContextTokenMs * decodes;
  }
}
