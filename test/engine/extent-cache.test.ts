import fc from "fast-check";
import { expect, it } from "vitest";
import { BlockContent } from "../../src/engine/block-content.js";
import { ExtentCache } from "../../src/engine/extent-cache.js";
import { emptyBlockTable, type BlockTable } from "../../src/engine/kv-blocks.js";
import { KvCache } from "../../src/engine/kv-cache.js";
import type { KvListener } from "../../src/engine/types.js";
import { aSpan } from "./builders.js";

/** One request, in both caches. */
interface Held {
  readonly content: BlockContent;
  readonly exact: BlockTable;
  readonly extents: BlockTable;
  tokens: number;
}

const BLOCK = 16;

/** Prompts that branch off a few common beginnings and end in blocks of their own. */
const prompt = fc
  .tuple(fc.nat(2), fc.integer({ min: 0, max: 300 }), fc.nat(3), fc.integer({ min: 1, max: 200 }))
  .map(([family, shared, branch, own]): (readonly [number, number])[] => [
    ...(shared > 0 ? [[family * 1000, shared] as const] : []),
    [10_000 + family * 5000 + branch * 1000 + shared, own] as const,
  ]);

const operation = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("admit" as const), runs: prompt, loads: fc.boolean() }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("grow" as const), which: fc.nat(), blocks: fc.nat(40) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("end" as const), which: fc.nat() }) },
);

/** What a cache tells of its keys, in order. */
class Told implements KvListener {
  readonly stored: number[] = [];
  readonly removed: number[] = [];

  onKvStored(firstKey: number, count: number): void {
    for (let i = 0; i < count; i++) this.stored.push(firstKey + i);
  }

  onKvRemoved(key: number): void {
    this.removed.push(key);
  }
}

/** Both caches under the same calls. */
class Pair {
  private readonly exact: KvCache;
  private readonly extents: ExtentCache;
  private readonly toldByExact = new Told();
  private readonly toldByExtents = new Told();
  private readonly held: Held[] = [];
  private privateKey = 0;

  constructor(unkeyedBlocksToHead: boolean, enablePrefixCaching: boolean) {
    const config = { blockSize: BLOCK, numGpuBlocks: 700, unkeyedBlocksToHead, enablePrefixCaching };
    this.exact = new KvCache(config);
    this.extents = new ExtentCache(config);
    this.exact.listener = this.toldByExact;
    this.extents.listener = this.toldByExtents;
  }

  admit(runs: readonly (readonly [number, number])[], loads: boolean): void {
    const tokens = runs.reduce((sum, [, count]) => sum + count, 0) * BLOCK;
    this.privateKey -= 3000;
    const content = new BlockContent();
    content.assign(aSpan(BLOCK, runs), tokens, BLOCK, this.privateKey);
    const one = { content, exact: emptyBlockTable(), extents: emptyBlockTable(), tokens };
    const hits = this.exact.lookup(content, tokens);
    const found = this.extents.lookup(content, tokens);
    expect([found.length, found.unreferenced]).toEqual([hits.length, hits.unreferenced]);
    if (this.exact.needed(one.exact, tokens, hits) > this.exact.free) return;
    const hittable = loads ? 0 : tokens;
    this.exact.take(one.exact, content, tokens, hittable, hits);
    this.extents.take(one.extents, content, tokens, hittable, found);
    this.held.push(one);
  }

  /** Takes blocks one at a time, as decoding does, and publishes what is full. */
  grow(which: number, blocks: number): void {
    const one = this.held[which % this.held.length];
    for (let i = 0; one !== undefined && i < blocks && this.exact.free > 0; i++) {
      this.exact.publish(one.exact, one.content, one.tokens);
      this.extents.publish(one.extents, one.content, one.tokens);
      this.exact.takeOne(one.exact);
      this.extents.takeOne(one.extents);
      one.tokens += BLOCK;
    }
  }

  end(which: number): void {
    if (this.held.length === 0) return;
    const [one] = this.held.splice(which % this.held.length, 1);
    this.exact.release(one!.exact);
    this.extents.release(one!.extents);
  }

  check(): void {
    expect(this.extents.free).toBe(this.exact.free);
    expect(this.extents.freeKeys().join()).toBe(this.exact.freeKeys().join());
    expect(this.toldByExtents.removed.join()).toBe(this.toldByExact.removed.join());
    expect(this.toldByExtents.stored.join()).toBe(this.toldByExact.stored.join());
  }
}

it("a cache of extents hands out, finds and evicts what the cache of numbered blocks does", () => {
  fc.assert(
    fc.property(
      fc.array(operation, { minLength: 20, maxLength: 60 }),
      fc.boolean(),
      fc.constantFrom(true, true, true, false),
      (operations, toHead, caching) => {
        const pair = new Pair(toHead, caching);
        for (const one of operations) {
          if (one.do === "admit") pair.admit(one.runs, one.loads);
          else if (one.do === "grow") pair.grow(one.which, one.blocks);
          else pair.end(one.which);
          pair.check();
        }
      },
    ),
    { numRuns: Number(process.env["ENGINE_RUNS"] ?? 150) },
  );
});
