import type { BlockContent } from "./block-content.js";
import type { KvListener } from "./types.js";

/** The KV blocks one request holds, in the order of its tokens. */
export interface BlockTable {
  /** Physical blocks, or, in a cache of extents, pairs of an extent and the number of its blocks. */
  blocks: Int32Array;
  /** Blocks held. */
  length: number;
  /** Blocks whose content can be found by others, from the start. */
  published: number;
  /** Pairs in `blocks`; they cover the published blocks. Only in a cache of extents. */
  extents: number;
}

export function emptyBlockTable(): BlockTable {
  return { blocks: new Int32Array(0), length: 0, published: 0, extents: 0 };
}

export interface KvCacheConfig {
  readonly blockSize: number;
  /** Block 0, vLLM's null block, is never handed out. */
  readonly numGpuBlocks: number;
  readonly enablePrefixCaching: boolean;
  readonly unkeyedBlocksToHead: boolean;
}

/** Outcome of a prefix lookup; one object is reused for all lookups of a cache. */
export interface PrefixHits {
  /** What was found, from the start of the request: physical blocks, or in a cache of extents parts of them. */
  blocks: Int32Array;
  /** Blocks found. */
  length: number;
  /** How many of them no request holds now: taking them uses up free blocks. */
  unreferenced: number;
}

/**
 * vLLM's BlockPool and KVCacheManager for one full-attention group: the free queue, reference counts and the
 * prefix cache. A free block keeps its key until it is handed out again (lazy eviction).
 */
export abstract class KvBlocks {
  free: number;
  readonly usable: number;
  /** Blocks whose key was dropped because they were handed out again; null = not recorded. */
  evicted: number[] | null = null;
  /** Is told what becomes findable and what no longer is, where somebody wants to know. */
  listener: KvListener | null = null;
  protected readonly blockSize: number;
  readonly caching: boolean;
  protected readonly unkeyedToHead: boolean;

  constructor(config: KvCacheConfig) {
    this.blockSize = config.blockSize;
    this.caching = config.enablePrefixCaching;
    this.unkeyedToHead = config.unkeyedBlocksToHead;
    this.usable = config.numGpuBlocks - 1;
    this.free = this.usable;
  }

  /** Blocks that requests hold. */
  inUse(): number {
    return this.usable - this.free;
  }

  /** 1 - free / usable, vLLM's usage metric: blocks that are only cached count as free. */
  usage(): number {
    return this.usable === 0 ? 0 : 1 - this.free / this.usable;
  }

  /** The free queue from head to tail, as block ids; only where blocks have ids. */
  abstract freeQueue(): number[];
  /** The same as keys; NaN for a block without one. */
  abstract freeKeys(): number[];
  /**
   * The longest run of cached blocks from the start of the content, within the first `knownTokens - 1` tokens:
   * the last token is always computed, because its logits are wanted (vLLM v1 `get_computed_blocks`). Of several
   * blocks with the same content the one published first is found. Valid until the cache changes.
   */
  abstract lookup(content: BlockContent, knownTokens: number): PrefixHits;
  /** No hits: for requests that bring their blocks along. */
  abstract noHits(): PrefixHits;
  /** Free blocks that holding `tokens` tokens would use up, taking the hits included. */
  needed(table: BlockTable, tokens: number, hits: PrefixHits): number {
    const fresh = Math.ceil(tokens / this.blockSize) - table.length - hits.length;
    return Math.max(fresh, 0) + hits.unreferenced;
  }

  /**
   * Takes the hits and then new blocks from the head of the free queue, until `tokens` tokens have a place, and
   * makes the full blocks of the first `hittable` tokens findable.
   */
  abstract take(
    table: BlockTable,
    content: BlockContent,
    tokens: number,
    hittable: number,
    hits: PrefixHits,
  ): void;
  /** Takes one new block; the caller has seen that one is free. */
  abstract takeOne(table: BlockTable): void;
  /** Makes the full blocks of the first `tokens` tokens findable. */
  abstract publish(table: BlockTable, content: BlockContent, tokens: number): void;
  /**
   * Gives all blocks back, last block first, so that the tail of a sequence is reused before its head. Blocks
   * nobody else holds go to the tail of the free queue; since vLLM commit a6183563b6 those without a key go to
   * its head.
   */
  abstract release(table: BlockTable): void;
}
