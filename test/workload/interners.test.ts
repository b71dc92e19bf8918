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
