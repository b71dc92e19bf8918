import { InputError } from "../errors.js";
import { expandSpan, spanLength, type BlockSpan } from "../values/block-span.js";
import { GROUP_KEYS } from "./prefix-index.js";

/**
 * What the KV blocks of one request hold, as keys of the prefix index.
 *
 * The first `sharedBlocks` engine blocks have the keys of the request's trace blocks; two requests share
 * them as far as their trace ids agree. The rest is private: the request can find it again after a
 * preemption and nobody else ever can.
 */
export class BlockContent {
  sharedBlocks = 0;
  /** The span the ids come from, until they are expanded. */
  private span: BlockSpan | null = null;
  private ids = new Int32Array(0);
  private blocksPerId = 1;
  private idsPerBlock = 1;
  private privateKey = 0;

  /**
   * Takes the content of a request of `promptTokens` tokens. Trace ids name whole trace blocks of the prompt;
   * the blocks that follow the prompt are named only where the table covers the output or the span is longer
   * than the prompt.
   *
   * @param privateKey first of the (negative) keys that are this request's own, from `privateKeys`.
   * @throws InputError if neither block size is a multiple of the other.
   */
  assign(span: BlockSpan, promptTokens: number, blockSize: number, privateKey: number): void {
    const { blockTokens, coversOutput } = span.table;
    this.blocksPerId = blockTokens / blockSize;
    this.idsPerBlock = blockSize / blockTokens;
    if (!Number.isInteger(this.blocksPerId) && !Number.isInteger(this.idsPerBlock)) {
      throw new InputError(
        `the trace's block of ${blockTokens} tokens does not go with an engine block_size of ${blockSize}: ` +
          "one must be a multiple of the other",
      );
    }
    const ids = spanLength(span);
    const describesOutput = coversOutput === true || ids > Math.ceil(promptTokens / blockTokens);
    const named = describesOutput ? ids * blockTokens : Math.min(ids * blockTokens, promptTokens);
    this.sharedBlocks = Math.floor(named / blockSize);
    this.span = span;
    this.privateKey = privateKey;
  }

  /** Key of block `j`. Keys of blocks that follow each other in a trace block are consecutive. */
  key(j: number): number {
    if (j >= this.sharedBlocks) return this.privateKey + (j - this.sharedBlocks);
    if (this.span !== null) this.expand(this.span);
    if (this.idsPerBlock > 1) return this.ids[(j + 1) * this.idsPerBlock - 1]!;
    const id = Math.floor(j / this.blocksPerId);
    return this.ids[id]! * this.blocksPerId + (j - id * this.blocksPerId);
  }

  /** How many blocks from `j` on are sure to have consecutive keys. */
  consecutive(j: number): number {
    if (j >= this.sharedBlocks) return GROUP_KEYS;
    if (this.blocksPerId <= 1) return 1;
    const next = (Math.floor(j / this.blocksPerId) + 1) * this.blocksPerId;
    return Math.min(next, this.sharedBlocks) - j;
  }

  /** Ids are expanded at the first use: a long queue then holds spans only. */
  private expand(span: BlockSpan): void {
    const needed = this.sharedBlocks * Math.max(this.idsPerBlock, 1);
    const ids = this.blocksPerId > 1 ? Math.ceil(this.sharedBlocks / this.blocksPerId) : needed;
    if (this.ids.length < ids) this.ids = new Int32Array(ids * 2);
    expandSpan(span, this.ids, ids);
    this.span = null;
  }
}
