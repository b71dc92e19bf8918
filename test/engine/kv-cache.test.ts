import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BlockContent } from "../../src/engine/block-content.js";
import { emptyBlockTable, type BlockTable } from "../../src/engine/kv-blocks.js";
import { KvCache } from "../../src/engine/kv-cache.js";
import { aSpan } from "./builders.js";

function aCache(overrides: Partial<ConstructorParameters<typeof KvCache>[0]> = {}): KvCache {
  return new KvCache({
    blockSize: 16,
    numGpuBlocks: 20,
    enablePrefixCaching: true,
    unkeyedBlocksToHead: false,
    ...overrides,
  });
}

let privateKeys = 0;

/** Content of whole blocks with these ids. */
function contentOf(...ids: number[]): BlockContent {
  const content = new BlockContent();
  privateKeys -= 1000;
  const span = aSpan(
    16,
    ids.map((id) => [id, 1] as const),
  );
  content.assign(span, ids.length * 16, 16, privateKeys);
  return content;
}

function hold(cache: KvCache, content: BlockContent, tokens: number, known = tokens): BlockTable {
  const table = emptyBlockTable();
  cache.take(table, content, tokens, tokens, cache.lookup(content, known));
  return table;
}

const heldBlocks = (table: BlockTable) => [...table.blocks.subarray(0, table.length)];

describe("a prefix lookup", () => {
  it.each([
    [96, 80],
    [97, 96],
    [100, 96],
    [16, 0],
    [17, 16],
    [1, 0],
    [32, 16],
  ])("of an identical prompt of %i tokens finds %i, so that one token is computed", (tokens, hits) => {
    const cache = aCache();
    const ids = Array.from({ length: Math.floor(tokens / 16) }, (_, i) => i);
    cache.release(hold(cache, contentOf(...ids), tokens));
    expect(cache.lookup(contentOf(...ids), tokens).length * 16).toBe(hits);
  });

  it("ends at the first block that is missing", () => {
    const cache = aCache();
    cache.release(hold(cache, contentOf(1, 2, 3), 48));
    expect(cache.lookup(contentOf(1, 9, 3), 64).length).toBe(1);
    expect(cache.lookup(contentOf(9, 2, 3), 64).length).toBe(0);
  });

  it("finds nothing with prefix caching off", () => {
    const cache = aCache({ enablePrefixCaching: false });
    cache.release(hold(cache, contentOf(1, 2, 3), 48));
    expect(cache.lookup(contentOf(1, 2, 3), 64).length).toBe(0);
  });

  it("uses the oldest of several copies that is left", () => {
    const cache = aCache({ numGpuBlocks: 8 });
    const first = hold(cache, contentOf(1, 2), 32);
    const again = hold(cache, contentOf(1, 2), 32);
    expect(heldBlocks(again)).toEqual([1, 3]);
    expect([...cache.lookup(contentOf(1, 2), 64).blocks.subarray(0, 2)]).toEqual([1, 2]);
    cache.release(first);
    // Blocks 4 to 7 were never used; block 2 is next.
    expect(heldBlocks(hold(cache, contentOf(10, 11, 12, 13, 14), 80))).toEqual([4, 5, 6, 7, 2]);
    expect([...cache.lookup(contentOf(1, 2), 64).blocks.subarray(0, 2)]).toEqual([1, 3]);
  });
});

describe("the free queue", () => {
  it("gets the tail of a sequence before its head, so that the head of a prefix survives longest", () => {
    const cache = aCache({ numGpuBlocks: 6 });
    cache.release(hold(cache, contentOf(1, 2, 3), 48));
    expect(cache.freeQueue()).toEqual([4, 5, 3, 2, 1]);
    hold(cache, contentOf(7, 8, 9, 10), 64);
    expect(cache.lookup(contentOf(1, 2, 3), 64).length).toBe(1);
  });

  it("gives a hit block up and gets it back at its end", () => {
    const cache = aCache({ numGpuBlocks: 6 });
    cache.release(hold(cache, contentOf(1), 16));
    cache.release(hold(cache, contentOf(2), 16));
    expect(cache.freeQueue()).toEqual([3, 4, 5, 1, 2]);
    const hit = hold(cache, contentOf(1), 16, 17);
    expect(cache.freeQueue()).toEqual([3, 4, 5, 2]);
    cache.release(hit);
    expect(cache.freeQueue()).toEqual([3, 4, 5, 2, 1]);
  });

  it("keeps blocks that somebody else still holds out", () => {
    const cache = aCache({ numGpuBlocks: 6 });
    const first = hold(cache, contentOf(1, 2), 32);
    const second = hold(cache, contentOf(1, 2), 40);
    cache.release(first);
    expect(cache.inUse()).toBe(3);
    cache.release(second);
    expect(cache.inUse()).toBe(0);
  });

  it.each([
    { unkeyedBlocksToHead: false, queue: [5, 6, 7, 4, 3, 2, 1] },
    { unkeyedBlocksToHead: true, queue: [4, 3, 5, 6, 7, 2, 1] },
  ])("puts blocks without a key where the release does: $unkeyedBlocksToHead", (setting) => {
    const cache = aCache({ numGpuBlocks: 8, ...setting });
    const table = emptyBlockTable();
    const content = contentOf(1, 2, 3, 4);
    cache.take(table, content, 60, 32, cache.noHits());
    cache.release(table);
    expect(cache.freeQueue()).toEqual(setting.queue);
  });

  it("reuses all blocks last in, first out where none has a key", () => {
    const cache = aCache({ numGpuBlocks: 6, enablePrefixCaching: false, unkeyedBlocksToHead: true });
    cache.release(hold(cache, contentOf(1, 2, 3), 48));
    expect(cache.freeQueue()).toEqual([3, 2, 1, 4, 5]);
  });
});

it.each([
  { tokens: 80, unreferenced: 2, needed: 5 },
  { tokens: 48, unreferenced: 0, needed: 1 },
])("hits that nobody holds cost free blocks: $tokens tokens, $unreferenced such hits", (row) => {
  const cache = aCache();
  const table = hold(cache, contentOf(1, 2), 32);
  if (row.unreferenced > 0) cache.release(table);
  const hits = cache.lookup(contentOf(1, 2, 3, 4, 5), 96);
  expect(hits.unreferenced).toBe(row.unreferenced);
  expect(cache.needed(emptyBlockTable(), row.tokens, hits)).toBe(row.needed);
});

/** The same cache with plain lists. */
class ListCache {
  readonly queue: number[];
  readonly references = new Map<number, number>();
  readonly keyOf = new Map<number, number>();
  readonly holders = new Map<number, number[]>();
  private readonly toHead: boolean;

  constructor(numBlocks: number, toHead: boolean) {
    this.queue = Array.from({ length: numBlocks - 1 }, (_, i) => i + 1);
    this.toHead = toHead;
  }

  hits(keys: readonly number[]): number[] {
    const missing = keys.findIndex((key) => (this.holders.get(key) ?? []).length === 0);
    return keys.slice(0, missing < 0 ? keys.length : missing).map((key) => this.holders.get(key)![0]!);
  }

  hold(hits: readonly number[], blocks: number): number[] {
    for (const block of hits) {
      if (this.queue.includes(block)) this.queue.splice(this.queue.indexOf(block), 1);
    }
    const fresh = this.queue.splice(0, blocks - hits.length);
    for (const block of fresh) this.drop(block);
    const table = [...hits, ...fresh];
    for (const block of table) this.references.set(block, (this.references.get(block) ?? 0) + 1);
    return table;
  }

  publish(block: number, key: number): void {
    this.keyOf.set(block, key);
    this.holders.set(key, [...(this.holders.get(key) ?? []), block]);
  }

  release(table: readonly number[]): void {
    const freed = [...table].reverse().filter((block) => {
      this.references.set(block, this.references.get(block)! - 1);
      return this.references.get(block) === 0;
    });
    const first = freed.filter((block) => this.toHead && !this.keyOf.has(block));
    this.queue.unshift(...first);
    this.queue.push(...freed.filter((block) => !first.includes(block)));
  }

  private drop(block: number): void {
    const key = this.keyOf.get(block);
    if (key === undefined) return;
    this.keyOf.delete(block);
    this.holders.set(
      key,
      this.holders.get(key)!.filter((holder) => holder !== block),
    );
  }
}

it("does what a cache of plain lists does", () => {
  const operation = fc.record({
    family: fc.nat(3),
    blocks: fc.integer({ min: 1, max: 40 }),
    extra: fc.integer({ min: 0, max: 2 }),
    release: fc.nat(9),
    oldest: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(operation, { minLength: 20, maxLength: 80 }), fc.boolean(), (operations, toHead) => {
      const numGpuBlocks = 90;
      const cache = aCache({ numGpuBlocks, unkeyedBlocksToHead: toHead });
      const model = new ListCache(numGpuBlocks, toHead);
      const held: { table: BlockTable; blocks: number[] }[] = [];
      for (const { family, blocks, extra, release, oldest } of operations) {
        const ids = Array.from({ length: blocks }, (_, i) => family * 64 + i);
        const content = contentOf(...ids);
        const hits = cache.lookup(content, blocks * 16);
        const expected = model.hits(ids.slice(0, -1));
        expect([...hits.blocks.subarray(0, hits.length)]).toEqual(expected);
        const tokens = (blocks + extra) * 16;
        if (cache.needed(emptyBlockTable(), tokens, hits) <= cache.free) {
          const table = emptyBlockTable();
          cache.take(table, content, tokens, blocks * 16, hits);
          const listed = model.hold(expected, blocks + extra);
          for (let i = expected.length; i < blocks; i++) model.publish(listed[i]!, ids[i]!);
          expect(heldBlocks(table)).toEqual(listed);
          held.push({ table, blocks: listed });
        }
        if (release < 5 && held.length > 0) {
          const [gone] = held.splice(oldest ? 0 : held.length - 1, 1);
          cache.release(gone!.table);
          model.release(gone!.blocks);
        }
        expect(cache.freeQueue()).toEqual(model.queue);
        expect(cache.free).toBe(model.queue.length);
      }
    }),
    { numRuns: 300 },
  );
});
