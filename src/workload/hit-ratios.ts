import { expandSpan, spanLength } from "../values/block-span.js";
import { LruCache } from "./lru-cache.js";
import { promptBlocks, type RawTrace } from "./raw-trace.js";

/** Shares of what prompts ask for that is found in a prefix cache, 0..1. */
export interface HitRatio {
  /** Of prompt blocks. */
  readonly blocks: number;
  /** Of prompt tokens. */
  readonly tokens: number;
}

/** What an unlimited prefix cache does for a trace. */
export interface Reuse extends HitRatio {
  /** Prompt blocks of all requests. */
  readonly totalBlocks: number;
  /** Different ones among them. */
  readonly distinctBlocks: number;
  /** Different ones that more than one request asks for. */
  readonly sharedBlocks: number;
  /** Shares of requests whose prompt is found to no part, to more than half, to more than nine tenths. */
  readonly requestsWithout: number;
  readonly requestsOverHalf: number;
  readonly requestsOverNineTenths: number;
}

/*
 * The definition, for all functions: requests in order of arrival, one pool for all, prompt blocks only. The
 * hit of a request is its leading run of blocks that are in the pool when it arrives; all its blocks are put
 * in right after. A hit of `n` blocks is one of `n * block_tokens` tokens, at most the whole prompt.
 */

/** Hit ratio of an unlimited cache, and how the reuse is spread over blocks and requests. */
export function infiniteReuse(trace: RawTrace): Reuse {
  const uses = new Uint8Array(trace.distinctBlocks);
  const sums = new Sums(trace);
  let distinct = 0;
  let shared = 0;
  const share = { none: 0, overHalf: 0, overNineTenths: 0 };
  forEachRequest(trace, (row, blocks, count) => {
    let hits = 0;
    while (hits < count && uses[blocks[hits]!]! > 0) hits++;
    const hitShare = sums.add(row, hits, count) / trace.inputTokens[row]!;
    if (hits === 0) share.none++;
    if (hitShare > 0.5) share.overHalf++;
    if (hitShare > 0.9) share.overNineTenths++;
    for (let i = 0; i < count; i++) {
      const use = uses[blocks[i]!]!;
      if (use === 0) distinct++;
      if (use === 1) shared++;
      if (use < 2) uses[blocks[i]!] = use + 1;
    }
  });
  return {
    ...sums.ratio(),
    totalBlocks: sums.blocks,
    distinctBlocks: distinct,
    sharedBlocks: shared,
    requestsWithout: share.none / trace.count,
    requestsOverHalf: share.overHalf / trace.count,
    requestsOverNineTenths: share.overNineTenths / trace.count,
  };
}

/**
 * Hit ratio of prompts in an unlimited cache that keeps what requests generate as well, as vLLM does: later
 * turns of a chat find the answers before them. Null where the trace does not tell what was generated.
 */
export function infiniteHitRatioWithOutput(trace: RawTrace): HitRatio | null {
  if (!trace.coversOutput) return null;
  const isKept = new Uint8Array(trace.distinctBlocks);
  const sums = new Sums(trace);
  forEachRequest(trace, (row, blocks, prompt, all) => {
    let hits = 0;
    while (hits < prompt && isKept[blocks[hits]!] === 1) hits++;
    sums.add(row, hits, prompt);
    for (let i = 0; i < all; i++) isKept[blocks[i]!] = 1;
  });
  return sums.ratio();
}

/** Exact hit ratio of one LRU pool of `capacityBlocks` blocks. */
export function lruHitRatio(trace: RawTrace, capacityBlocks: number): HitRatio {
  const cache = new LruCache(capacityBlocks, trace.distinctBlocks);
  const sums = new Sums(trace);
  forEachRequest(trace, (row, blocks, count) => {
    sums.add(row, cache.leadingHits(blocks, count), count);
    cache.use(blocks, count);
  });
  return sums.ratio();
}

/** Hits and lookups of a trace, in blocks and tokens. */
class Sums {
  blocks = 0;
  private readonly trace: RawTrace;
  private tokens = 0;
  private hitBlocks = 0;
  private hitTokens = 0;

  constructor(trace: RawTrace) {
    this.trace = trace;
  }

  /** Counts a request and returns its hit in tokens. */
  add(row: number, hits: number, count: number): number {
    const inputTokens = this.trace.inputTokens[row]!;
    const hitTokens = Math.min(hits * this.trace.blocks.blockTokens, inputTokens);
    this.blocks += count;
    this.tokens += inputTokens;
    this.hitBlocks += hits;
    this.hitTokens += hitTokens;
    return hitTokens;
  }

  ratio(): HitRatio {
    const blocks = this.blocks === 0 ? 0 : this.hitBlocks / this.blocks;
    return { blocks, tokens: this.tokens === 0 ? 0 : this.hitTokens / this.tokens };
  }
}

/** Hears of a request: its blocks, how many of them are its prompt, how many there are. */
type Visit = (row: number, blocks: Int32Array, prompt: number, all: number) => void;

/** Calls `visit` with the blocks of every request, in an array that is used again for the next. */
function forEachRequest(trace: RawTrace, visit: Visit): void {
  let blocks = new Int32Array(1024);
  for (let row = 0; row < trace.count; row++) {
    const span = { table: trace.blocks, start: trace.runOffset[row]!, end: trace.runOffset[row + 1]! };
    const all = spanLength(span);
    if (all > blocks.length) blocks = new Int32Array(2 * all);
    expandSpan(span, blocks, all);
    visit(row, blocks, Math.min(all, promptBlocks(trace, row)), all);
  }
}
