import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RadixTree } from "../../../src/routing/prefix-index/radix-tree.js";

const key = (...symbols: number[]): Int32Array => Int32Array.from(symbols);

/** The same index without a tree: every prefix that a worker holds, as text, with the time of its last use. */
class PlainIndex {
  private readonly held: Map<string, number>[];
  private clock = 0;

  constructor(workers: number) {
    this.held = Array.from({ length: workers }, () => new Map<string, number>());
  }

  insert(symbols: readonly number[], worker: number): void {
    this.clock++;
    for (let end = 1; end <= symbols.length; end++) {
      this.held[worker]!.set(symbols.slice(0, end).join(), this.clock);
    }
  }

  removeWorker(worker: number): void {
    this.held[worker]!.clear();
  }

  matchOf(symbols: readonly number[], worker: number): number {
    let end = 0;
    while (end < symbols.length && this.held[worker]!.has(symbols.slice(0, end + 1).join())) end++;
    return end;
  }

  size(worker: number): number {
    return this.held[worker]!.size;
  }
}

/** Keys that often share a beginning; some have runs of consecutive symbols, as the blocks of a trace. */
const A_KEY = fc.oneof(
  fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 8 }),
  fc
    .array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 5 })), { maxLength: 3 })
    .map((runs) => runs.flatMap(([first, count]) => Array.from({ length: count }, (_, i) => first + i))),
);

/** What each worker holds of a key. */
function heldByEach(tree: RadixTree, symbols: readonly number[], workers: number): number[] {
  const held = new Int32Array(workers);
  const who = new Int32Array(workers);
  const count = tree.matchEach(Int32Array.from(symbols), symbols.length, held, who);
  return Array.from(held, (units, worker) => (who.subarray(0, count).includes(worker) ? units : 0));
}

describe("RadixTree", () => {
  it("agrees with a brute-force map while nothing is evicted", () => {
    // More than the holders of a node that are looked at one by one.
    const workers = 7;
    const operation = fc.tuple(A_KEY, fc.integer({ min: 0, max: workers }));
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const tree = new RadixTree(workers, Infinity);
        const plain = new PlainIndex(workers);
        const holders = new Int32Array(workers);
        for (const [symbols, worker] of operations) {
          if (worker < workers) {
            tree.insert(Int32Array.from(symbols), symbols.length, worker);
            plain.insert(symbols, worker);
          }
          const expected = Array.from({ length: workers }, (_, w) => plain.matchOf(symbols, w));
          expect(heldByEach(tree, symbols, workers)).toEqual(expected);
          const key = Int32Array.from(symbols);
          expect(expected.map((_, w) => tree.heldBy(w, key, key.length))).toEqual(expected);
          const longest = Math.max(...expected);
          expect(tree.match(Int32Array.from(symbols), symbols.length)).toBe(longest);
          if (longest > 0) {
            const found = [...holders.subarray(0, tree.holders(holders))].sort();
            expect(found).toEqual([...expected.keys()].filter((w) => expected[w] === longest));
          }
          for (let w = 0; w < workers; w++) expect(tree.size(w)).toBe(plain.size(w));
        }
      }),
      { numRuns: 300 },
    );
  });

  it("keeps every worker within its bound and what it used last, under any sequence", () => {
    const workers = 7;
    const limit = 10;
    const aKey = fc.oneof(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 14 }), A_KEY);
    const operation = fc.tuple(aKey, fc.integer({ min: 0, max: workers - 1 }), fc.boolean());
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 120 }), (operations) => {
        const tree = new RadixTree(workers, limit);
        const everInserted = new PlainIndex(workers);
        for (const [symbols, worker, remove] of operations) {
          if (remove && symbols.length > 12) {
            tree.removeWorker(worker);
            expect(tree.size(worker)).toBe(0);
            continue;
          }
          const inserted = Int32Array.from(symbols);
          tree.insert(inserted, inserted.length, worker);
          everInserted.insert(symbols, worker);
          for (let w = 0; w < workers; w++) expect(tree.size(w)).toBeLessThanOrEqual(limit);
          const out = heldByEach(tree, symbols, workers);
          // The key just inserted is the last to go.
          expect(out[worker]).toBe(Math.min(inserted.length, limit));
          for (let w = 0; w < workers; w++) {
            expect(out[w]).toBeLessThanOrEqual(everInserted.matchOf(symbols, w));
          }
        }
        for (let w = 0; w < workers; w++) tree.removeWorker(w);
        for (const [symbols] of operations) {
          expect(tree.match(Int32Array.from(symbols), symbols.length)).toBe(0);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("knows the holders of a node as they become many and few again", () => {
    const workers = 9;
    const keys = [[1], [1, 2], [1, 2, 3, 9]];
    const anInsertion = fc.tuple(fc.constantFrom(...keys), fc.integer({ min: 0, max: workers - 1 }));
    const aRemoval = fc.tuple(fc.constant(null), fc.integer({ min: 0, max: workers - 1 }));
    const operation = fc.oneof({ weight: 3, arbitrary: anInsertion }, { weight: 1, arbitrary: aRemoval });
    fc.assert(
      fc.property(fc.array(operation, { minLength: 20, maxLength: 120 }), (operations) => {
        const tree = new RadixTree(workers, Infinity);
        const plain = new PlainIndex(workers);
        for (const [symbols, worker] of operations) {
          if (symbols === null) {
            tree.removeWorker(worker);
            plain.removeWorker(worker);
          } else {
            tree.insert(Int32Array.from(symbols), symbols.length, worker);
            plain.insert(symbols, worker);
          }
          for (let w = 0; w < workers; w++) {
            expect(tree.heldBy(w, key(1, 2, 3, 9), 4)).toBe(plain.matchOf([1, 2, 3, 9], w));
            expect(tree.size(w)).toBe(plain.size(w));
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it("keeps the halves of a split edge when it makes room for others", () => {
    const tree = new RadixTree(1, Infinity);
    const run = Int32Array.from({ length: 20 }, (_, i) => i);
    tree.insert(run, 20, 0);
    tree.insert(key(0, 1, 2, 3, 4, 99), 6, 0);
    tree.insert(key(0, 1, 2, 99), 4, 0);
    for (let i = 0; i < 200; i++) tree.insert(key(1000 + 10 * i, 5000 + 10 * i), 2, 0);
    expect(tree.match(run, 20)).toBe(20);
    expect(tree.match(key(0, 1, 2, 3, 4, 99), 6)).toBe(6);
    expect(tree.match(key(0, 1, 2, 99), 4)).toBe(4);
    expect(tree.match(key(1000, 5000), 2)).toBe(2);
  });

  it("forgets the least recently used prefix first, and its tail before its head", () => {
    const tree = new RadixTree(1, 6);
    tree.insert(key(1, 2, 3), 3, 0);
    tree.insert(key(1, 5, 6), 3, 0);
    tree.insert(key(8, 9), 2, 0);
    expect(tree.match(key(1, 2, 3), 3)).toBe(1);
    expect(tree.match(key(1, 5, 6), 3)).toBe(3);
    expect(tree.match(key(8, 9), 2)).toBe(2);
  });

  it("counts a use of a prefix as a use of everything above it", () => {
    const tree = new RadixTree(1, 5);
    tree.insert(key(1, 2), 2, 0);
    tree.insert(key(7, 8), 2, 0);
    tree.insert(key(1), 1, 0);
    tree.insert(key(4, 5), 2, 0);
    expect(tree.match(key(1, 2), 2)).toBe(1);
    expect(tree.match(key(7, 8), 2)).toBe(2);
  });

  it("holds a key longer than the bound as far as the bound goes", () => {
    const tree = new RadixTree(1, 2);
    tree.insert(key(1, 2, 3, 4), 4, 0);
    expect(tree.match(key(1, 2, 3, 4), 4)).toBe(2);
    expect(tree.size(0)).toBe(2);
  });

  it("names all workers that hold the longest match, also when it ends inside an edge", () => {
    const tree = new RadixTree(3, 100);
    tree.insert(key(1, 2, 3, 4), 4, 0);
    tree.insert(key(1, 2, 3, 4), 4, 2);
    const out = new Int32Array(3);
    expect(tree.match(key(1, 2, 9), 3)).toBe(2);
    expect([...out.subarray(0, tree.holders(out))].sort()).toEqual([0, 2]);
  });

  it("reuses the room of what it has forgotten", () => {
    const tree = new RadixTree(2, 64);
    const symbols = new Int32Array(32);
    for (let i = 0; i < 20_000; i++) {
      symbols.fill(i);
      tree.insert(symbols, 32, i % 2);
    }
    expect(tree.size(0)).toBe(64);
    expect(tree.match(symbols, 32)).toBe(32);
    symbols.fill(0);
    expect(tree.match(symbols, 32)).toBe(0);
  });
});
