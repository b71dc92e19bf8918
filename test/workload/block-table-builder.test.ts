import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BlockTableBuilder } from "../../src/workload/block-table-builder.js";
import { idsOf } from "./trace-file.js";

const rows = fc.array(fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 12 }), { maxLength: 30 });

describe("BlockTableBuilder", () => {
  it("gives back every row that was written", () => {
    fc.assert(
      fc.property(rows, (written) => {
        const table = new BlockTableBuilder();
        for (const ids of written) {
          for (const id of ids) table.append(id, 1);
          table.endRow();
        }
        const trace = table.take(written.length, 16);
        expect(written.map((_, row) => idsOf(trace, row))).toEqual(written);
      }),
    );
  });

  it("makes one run of consecutive ids, and never one over two rows", () => {
    fc.assert(
      fc.property(rows, (written) => {
        const table = new BlockTableBuilder();
        let runs = 0;
        for (const ids of written) {
          for (const id of ids) table.append(id, 1);
          runs += ids.filter((id, i) => i === 0 || id !== ids[i - 1]! + 1).length;
          table.endRow();
        }
        expect(table.take(written.length, 16).blocks.runId).toHaveLength(runs);
      }),
    );
  });

  it("keeps only the rows that are wanted", () => {
    const table = new BlockTableBuilder();
    table.append(table.allocate(3), 3);
    table.endRow();
    table.endRow();
    table.append(table.allocate(2), 2);
    table.endRow();
    expect(table.distinct).toBe(5);
    const { blocks, runOffset } = table.take(2, 16);
    expect([...runOffset]).toEqual([0, 1, 1]);
    expect([...blocks.runCount]).toEqual([3]);
  });

  it("refuses more ids than 32 bits can number", () => {
    const table = new BlockTableBuilder();
    table.allocate(2 ** 31 - 1);
    expect(() => table.allocate(1)).toThrow(RangeError);
  });
});
