import { blockSpanOf, type Workload } from "../workload/workload.js";

/** Token ids that prompts are made of: `[low, high)`, ordinary tokens of the server's vocabulary. */
export interface TokenRange {
  readonly low: number;
  readonly high: number;
}

/** In the vocabulary of every model with 30,000 tokens or more, and clear of the special ones at its ends. */
export const DEFAULT_TOKEN_RANGE: TokenRange = { low: 1000, high: 29_000 };

/**
 * Writes out the prompts of a workload as token ids, such that two prompts agree exactly as far as their
 * block ids do. A block begins with two tokens that spell its id, so different blocks differ at once and for
 * certain; the others are drawn by hash. Where a prompt has no block ids its content is its own.
 */
export class PromptTokens {
  private readonly workload: Workload;
  private readonly low: number;
  private readonly size: number;
  /** Above every block id: the content that is no other request's. */
  private readonly firstOwnId: number;

  constructor(workload: Workload, { low, high }: TokenRange = DEFAULT_TOKEN_RANGE) {
    this.workload = workload;
    this.low = low;
    this.size = high - low;
    const { runId, runCount } = workload.blocks;
    let firstOwnId = 0;
    for (let run = 0; run < runId.length; run++)
      firstOwnId = Math.max(firstOwnId, runId[run]! + runCount[run]!);
    this.firstOwnId = firstOwnId;
  }

  /** The prompt of request `row`: `inputTokens[row]` ids. */
  ids(row: number): number[] {
    const { blocks, inputTokens } = this.workload;
    const length = inputTokens[row]!;
    const ids: number[] = [];
    const { table, start, end } = blockSpanOf(this.workload, row);
    for (let run = start; run < end && ids.length < length; run++) {
      const last = table.runId[run]! + table.runCount[run]!;
      for (let id = table.runId[run]!; id < last && ids.length < length; id++) {
        this.writeBlock(id, Math.min(blocks.blockTokens, length - ids.length), ids);
      }
    }
    if (ids.length < length) this.writeBlock(this.firstOwnId + row, length - ids.length, ids);
    return ids;
  }

  /** A prompt of `length` tokens that shares nothing with the workload's, nor with others of another `number`. */
  strangeIds(number: number, length: number): number[] {
    const ids: number[] = [];
    this.writeBlock(this.firstOwnId + this.workload.count + number, length, ids);
    return ids;
  }

  private writeBlock(id: number, tokens: number, out: number[]): void {
    const { low, size } = this;
    out.push(low + (id % size));
    if (tokens > 1) out.push(low + (Math.floor(id / size) % size));
    for (let i = 2; i < tokens; i++) out.push(low + (mix(id, i) % size));
  }
}

/** An unsigned 32-bit hash of the pair (the finaliser of MurmurHash3). */
function mix(id: number, position: number): number {
  let hash = Math.imul(id, 0x9e3779b1) ^ Math.imul(position, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const ZERO = 0x30;
const COMMA = 0x2c;
const SPACE = 0x20;
const LETTER_A = 0x61;
const LETTERS = 26;
/** Digits of the largest id, 2^31 - 1, and a comma. */
const ID_BYTES_MAX = 11;

/** Token ids in decimal, separated by commas: the inside of a JSON array. */
export function asDigits(ids: readonly number[]): Buffer {
  const out = Buffer.allocUnsafe(ids.length * ID_BYTES_MAX);
  let end = 0;
  for (let i = 0; i < ids.length; i++) {
    if (i > 0) out[end++] = COMMA;
    let rest = ids[i]!;
    let digits = 1;
    for (let power = 10; power <= rest; power *= 10) digits++;
    for (let at = end + digits - 1; at >= end; at--) {
      const tenth = (rest / 10) | 0;
      out[at] = ZERO + rest - 10 * tenth;
      rest = tenth;
    }
    end += digits;
  }
  return out.subarray(0, end);
}

/**
 * Token ids as text: a word of three letters and a space each, so that a router which counts four
 * characters as a token counts right. How many tokens the server makes of it is the server's affair.
 */
export function asText(ids: readonly number[]): Buffer {
  const out = Buffer.allocUnsafe(4 * ids.length);
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    out[4 * i] = LETTER_A + (id % LETTERS);
    out[4 * i + 1] = LETTER_A + (Math.floor(id / LETTERS) % LETTERS);
    out[4 * i + 2] = LETTER_A + (Math.floor(id / (LETTERS * LETTERS)) % LETTERS);
    out[4 * i + 3] = SPACE;
  }
  return out;
}
