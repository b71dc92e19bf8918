import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BlockTableBuilder } from "../../src/workload/block-table-builder.js";
import { ChainInterner } from "../../src/workload/chain-interner.js";
import { TokenInterner } from "../../src/workload/token-interner.js";
import { idsOf } from "./trace-file.js";

/** Ids of chained blocks by the plainest means: a map from everything so far to a number. */
function chainedIds(rows: readonly (readonly (readonly number[])[])[]): number[][] {
  const ids = new Map<string, number>();
  return rows.map((blocks) => {
    let before = "";
    return blocks.map((block) => {
      before += `|${block.join()}`;
      let id = ids.get(before);
      if (id === undefined) ids.set(before, (id = ids.size));
      return id;
    });
  });
}

function internedBy(append: (table: BlockTableBuilder) => (row: number) => void, rows: number): number[][] {
  const table = new BlockTableBuilder();
  const add = append(table);
  for (let row = 0; row < rows; row++) {
    add(row);
    table.endRow();
  }
  const trace = table.take(rows, 16);
  return Array.from({ length: rows }, (_, row) => idsOf(trace, row));
}

describe("ChainInterner", () => {
  /** Ids that an interner gives which need not remember all. */
  function idsRemembering(remembered: number, rows: readonly (readonly number[])[]): number[][] {
    let ids: number[] = [];
    let distinct = 0;
    const interner = new ChainInterner({
      remembered,
      distinct: 0,
      allocate: () => distinct++,
      append: (id) => ids.push(id),
    });
    return rows.map((row) => {
      ids = [];
      interner.append(row);
      return ids;
    });
  }

  it("may forget blocks that have not been met for long, and never one before those after it", () => {
    const others = Array.from({ length: 6 }, (_, i) => [100 + i]);
    const rows = [[1, 2, 3], [1, 2], ...others, [1, 2, 3], [1, 2, 3]];
    const forgetful = idsRemembering(3, rows);
    expect(forgetful[1]).toEqual([0, 1]);
    expect(forgetful.at(-2)).not.toContain(0);
    expect(forgetful.at(-1)).toEqual(forgetful.at(-2));
    expect(idsRemembering(9, rows).at(-1)).toEqual([0, 1, 2]);
  });

  it("knows what has been met within as many blocks as it must remember", () => {
    const remembered = 5;
    fc.assert(
      fc.property(fc.array(fc.nat(12), { maxLength: 200 }), (hashes) => {
        const ids = idsRemembering(
          remembered,
          hashes.map((id) => [id]),
        ).flat();
        hashes.forEach((id, at) => {
          const since = hashes.slice(0, at).lastIndexOf(id);
          if (since < 0 || new Set(hashes.slice(since, at)).size > remembered) return;
          expect(ids[at]).toBe(ids[since]);
        });
      }),
    );
  });

  const hash = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }));

  it("numbers blocks by everything up to them, densely in order of appearance", () => {
    fc.assert(
      fc.property(fc.array(fc.array(hash, { maxLength: 6 }), { maxLength: 60 }), (rows) => {
        const ids = internedBy((table) => {
          const interner = new ChainInterner(table);
          return (row) => interner.append(rows[row]!);
        }, rows.length);
        expect(ids).toEqual(chainedIds(rows.map((hashes) => hashes.map((id) => [id]))));
      }),
    );
  });

  it("stays right while its table grows", () => {
    const rows = Array.from({ length: 2000 }, (_, i) => [i % 7, i % 11, i, i + 1, i + 2]);
    const ids = internedBy((table) => {
      const interner = new ChainInterner(table);
      return (row) => interner.append(rows[row]!);
    }, rows.length);
    expect(ids).toEqual(chainedIds(rows.map((hashes) => hashes.map((id) => [id]))));
  });
});

describe("TokenInterner", () => {
  const BLOCK = 3;
  const blocksOf = (tokens: readonly number[]): number[][] =>
    Array.from({ length: Math.floor(tokens.length / BLOCK) }, (_, i) =>
      tokens.slice(BLOCK * i, BLOCK * (i + 1)),
    );

  it("numbers full blocks of tokens by everything up to them", () => {
    const tokens = fc.array(fc.integer({ min: -1, max: 2 }), { maxLength: 20 });
    fc.assert(
      fc.property(fc.array(tokens, { maxLength: 60 }), (rows) => {
        const ids = internedBy((table) => {
          const interner = new TokenInterner(table, BLOCK);
          return (row) => interner.append(rows[row]!);
        }, rows.length);
        expect(ids).toEqual(chainedIds(rows.map(blocksOf)));
      }),
    );
  });

  it("stays right while its table grows", () => {
    const rows = Array.from({ length: 3000 }, (_, i) => [1, 2, 3, i % 5, 0, 0, i, i, i, 7, 7]);
    const ids = internedBy((table) => {
      const interner = new TokenInterner(table, BLOCK);
      return (row) => interner.append(rows[row]!);
    }, rows.length);
    expect(ids).toEqual(chainedIds(rows.map(blocksOf)));
  });
});
