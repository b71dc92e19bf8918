import { InputError } from "../errors.js";
import { emptySpan, spanLength, type BlockSpan } from "../values/block-span.js";

/** Ids are below this; so are the keys made from them where an engine block is larger than a trace block. */
const ID_LIMIT = 2 ** 31;

/**
 * What the KV blocks of one request hold, as keys of the prefix cache.
 *
 * The first `sharedBlocks` engine blocks have keys made from the request's trace blocks; two requests share
 * them as far as their trace ids agree. The rest is private: the request can find it again after a
 * preemption and nobody else ever can.
 */
export class BlockContent {
  sharedBlocks = 0;
  private span: BlockSpan = emptySpan(1);
  /** Engine blocks of one trace block, at least 1. */
  private blocksPerId = 1;
  /** Trace blocks of one engine block, at least 1. */
  private idsPerBlock = 1;
  private privateKey = 0;
  /** The run looked at last, and what it covers: engine blocks, or trace blocks where those are smaller. */
  private run = 0;
  private runStart = 0;
  private runEnd = 0;

  /**
   * Takes the content of a request of `promptTokens` tokens. Trace ids name whole trace blocks of the prompt;
   * the blocks that follow the prompt are named only where the table covers the output or the span is longer
   * than the prompt.
   *
   * @param privateKey first of the (negative) keys that are this request's own.
   * @throws InputError if neither block size is a multiple of the other.
   */
  assign(span: BlockSpan, promptTokens: number, blockSize: number, privateKey: number): void {
    const { blockTokens, coversOutput } = span.table;
    if (blockTokens % blockSize !== 0 && blockSize % blockTokens !== 0) {
      throw new InputError(
        `the trace's block of ${blockTokens} tokens does not go with an engine block_size of ${blockSize}: ` +
          "one must be a multiple of the other",
      );
    }
    this.blocksPerId = Math.max(blockTokens / blockSize, 1);
    this.idsPerBlock = Math.max(blockSize / blockTokens, 1);
    const ids = spanLength(span);
    const describesOutput = coversOutput === true || ids > Math.ceil(promptTokens / blockTokens);
    const named = describesOutput ? ids * blockTokens : Math.min(ids * blockTokens, promptTokens);
    this.sharedBlocks = Math.floor(named / blockSize);
    this.span = span;
    this.privateKey = privateKey;
    this.run = span.start - 1;
    this.runStart = 0;
    this.runEnd = 0;
  }

  /**
   * Key of block `j`: the trace block it is part of and its place there, or the last of the trace blocks it
   * contains. Keys of blocks that follow each other in a run of ids are consecutive.
   */
  key(j: number): number {
    if (j >= this.sharedBlocks) return this.privateKey + (j - this.sharedBlocks);
    const { idsPerBlock } = this;
    const at = (j + 1) * idsPerBlock - 1;
    this.seek(at);
    const key = this.span.table.runId[this.run]! * this.blocksPerId + (at - this.runStart);
    if (idsPerBlock === 1) return key;
    // Blocks of a run have ids of equal remainder.
    const remainder = key % idsPerBlock;
    return (key - remainder) / idsPerBlock + remainder * Math.ceil(ID_LIMIT / idsPerBlock);
  }

  /** How many blocks from `j` on are sure to have consecutive keys. */
  consecutive(j: number): number {
    const { sharedBlocks, idsPerBlock } = this;
    if (j >= sharedBlocks) return Infinity;
    const at = (j + 1) * idsPerBlock - 1;
    this.seek(at);
    const inRun = idsPerBlock === 1 ? this.runEnd - at : Math.ceil((this.runEnd - at) / idsPerBlock);
    return Math.min(inRun, sharedBlocks - j);
  }

  /** Goes to the run that covers place `at`; usually it is the one of the last call or the next. */
  private seek(at: number): void {
    if (at < this.runStart) {
      this.run = this.span.start - 1;
      this.runEnd = 0;
    }
    const { runCount } = this.span.table;
    while (at >= this.runEnd) {
      this.run++;
      this.runStart = this.runEnd;
      this.runEnd += runCount[this.run]! * this.blocksPerId;
    }
  }
}
