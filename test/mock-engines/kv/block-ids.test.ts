import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expandSpan, spanLength } from "../../../src/values/block-span.js";
import { hashBlocks, prefixKey, rootHash } from "../../../mock-engines/kv/block-hashes.js";
import { BlockIds } from "../../../mock-engines/kv/block-ids.js";

const tokens = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 0, maxLength: 40 });

function idsOf(ids: BlockIds, sequence: readonly number[], root = 0): number[] {
  const blocks = hashBlocks(Int32Array.from(sequence), 4, root);
  const span = ids.span(blocks, sequence.length, 4);
  const out = new Int32Array(spanLength(span));
  expandSpan(span, out, out.length);
  return [...out].slice(0, Math.floor(sequence.length / 4));
}

describe("ids of blocks", () => {
  it("are the same for two sequences exactly as far as their blocks agree from the start", () => {
    fc.assert(
      fc.property(tokens, tokens, (a, b) => {
        const ids = new BlockIds(1000);
        const [idsA, idsB] = [idsOf(ids, a), idsOf(ids, b)];
        let agree = 0;
        while (agree < Math.min(a.length, b.length) && a[agree] === b[agree]) agree++;
        const shared = Math.floor(agree / 4);
        for (let block = 0; block < Math.min(idsA.length, idsB.length); block++) {
          expect(idsA[block] === idsB[block]).toBe(block < shared);
        }
      }),
    );
  });

  it("differ between adapters and between cache salts", () => {
    const ids = new BlockIds(1000);
    const sequence = [1, 2, 3, 4];
    const roots = [rootHash(null, null), rootHash("a", null), rootHash(null, "a"), rootHash("b", null)];
    expect(new Set(roots.flatMap((root) => idsOf(ids, sequence, root))).size).toBe(4);
  });

  it("are kept for what is used and forgotten for what is not, within twice the capacity", () => {
    const ids = new BlockIds(10);
    const [kept] = idsOf(ids, [1, 1, 1, 1]);
    const [dropped] = idsOf(ids, [2, 2, 2, 2]);
    for (let i = 100; i < 200; i++) {
      idsOf(ids, [i, i, i, i]);
      expect(idsOf(ids, [1, 1, 1, 1])[0]).toBe(kept);
      expect(ids.size).toBeLessThanOrEqual(20);
    }
    expect(idsOf(ids, [2, 2, 2, 2])[0]).not.toBe(dropped);
  });

  it("follow each other for new content, so that a long prompt is one run", () => {
    const ids = new BlockIds(1000);
    const sequence = Int32Array.from({ length: 400 }, (_, i) => i);
    const span = ids.span(hashBlocks(sequence, 4, 0), 400, 4);
    expect(span.table.runCount).toEqual(Int32Array.of(100));
  });
});

describe("the name of a prefix", () => {
  it("depends on the tokens, their number and the root, and on nothing behind them", () => {
    const prompt = Int32Array.of(5, 6, 7);
    const longer = Int32Array.of(5, 6, 7, 8);
    expect(prefixKey(longer, 3, 1)).toBe(prefixKey(prompt, 3, 1));
    expect(prefixKey(longer, 4, 1)).not.toBe(prefixKey(prompt, 3, 1));
    expect(prefixKey(prompt, 3, 2)).not.toBe(prefixKey(prompt, 3, 1));
  });
});
