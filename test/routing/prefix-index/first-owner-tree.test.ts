import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FirstOwnerTree } from "../../../src/routing/prefix-index/first-owner-tree.js";

const key = (...symbols: number[]): Int32Array => Int32Array.from(symbols);

describe("FirstOwnerTree", () => {
  it("answers with the worker that stored a prefix first, however many hold it since", () => {
    const tree = new FirstOwnerTree(8);
    tree.insert(key(1, 2, 3), 3, 4);
    tree.insert(key(1, 2, 3), 3, 7);
    expect(tree.match(key(1, 2, 3), 3)).toBe(3);
    expect(tree.matchedOwner).toBe(4);
  });

  it("ends a match on the child even when only its first symbol is shared", () => {
    const tree = new FirstOwnerTree(8);
    tree.insert(key(1, 2), 2, 0);
    tree.insert(key(1, 2, 3, 4), 4, 1);
    expect(tree.match(key(1, 2, 3, 9), 4)).toBe(3);
    expect(tree.matchedOwner).toBe(1);
  });

  it("hands a split edge's owner to both halves", () => {
    const tree = new FirstOwnerTree(8);
    tree.insert(key(1, 2, 3, 4), 4, 0);
    tree.insert(key(1, 2, 8, 9), 4, 1);
    tree.match(key(1, 2), 2);
    expect(tree.matchedOwner).toBe(0);
    tree.match(key(1, 2, 8), 3);
    expect(tree.matchedOwner).toBe(1);
  });

  it("names another owner once the first is removed", () => {
    const tree = new FirstOwnerTree(8);
    tree.insert(key(1, 2), 2, 0);
    tree.insert(key(1, 2), 2, 1);
    tree.removeWorker(0);
    expect(tree.size(0)).toBe(0);
    tree.match(key(1, 2), 2);
    expect(tree.matchedOwner).toBe(1);
  });

  it("is bounded only when evict is called, oldest leaf first", () => {
    const tree = new FirstOwnerTree(8);
    tree.insert(key(1, 2, 3), 3, 0);
    tree.insert(key(4, 5, 6), 3, 0);
    tree.insert(key(7, 8, 9), 3, 0);
    expect(tree.size(0)).toBe(9);
    tree.evict(6);
    expect(tree.size(0)).toBe(6);
    expect(tree.match(key(1, 2, 3), 3)).toBe(0);
    expect(tree.match(key(4, 5, 6), 3)).toBe(3);
  });

  it("evicts an inner node at once when its last leaf has gone, since its time is 0", () => {
    const tree = new FirstOwnerTree(8);
    tree.insert(key(1, 1, 2), 3, 0);
    tree.insert(key(1, 1, 3), 3, 0);
    tree.insert(key(9, 9, 9), 3, 0);
    tree.evict(3);
    expect(tree.match(key(1, 1), 2)).toBe(0);
    expect(tree.match(key(9, 9, 9), 3)).toBe(3);
  });

  it("counts what each worker holds exactly, under any sequence", () => {
    const aKey = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 7 });
    const operation = fc.tuple(aKey, fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 9 }));
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 40 }), (operations) => {
        const tree = new FirstOwnerTree(8);
        const held = [new Set<string>(), new Set<string>(), new Set<string>()];
        for (const [symbols, worker, what] of operations) {
          if (what === 0) {
            tree.removeWorker(worker);
            held[worker]!.clear();
          } else {
            tree.insert(Int32Array.from(symbols), symbols.length, worker);
            for (let end = 1; end <= symbols.length; end++) held[worker]!.add(symbols.slice(0, end).join());
          }
          for (let w = 0; w < 3; w++) expect(tree.size(w)).toBe(held[w]!.size);
        }
        tree.evict(2);
        for (let w = 0; w < 3; w++) expect(tree.size(w)).toBeLessThanOrEqual(2);
      }),
      { numRuns: 300 },
    );
  });
});
