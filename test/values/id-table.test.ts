import fc from "fast-check";
import { expect, it } from "vitest";
import { IdTable } from "../../src/values/id-table.js";

/** Ids that collide in small tables, and some beyond 32 bits. */
const id = fc.oneof(
  fc.integer({ min: 0, max: 40 }),
  fc.integer({ min: 0, max: 40 }).map((n) => n * 64),
  fc.integer({ min: 0, max: 9 }).map((n) => 2 ** 33 + n),
);

it("holds what a Map holds, whatever is added and deleted", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(id, fc.nat(1000), fc.boolean()), { maxLength: 400 }), (steps) => {
      const table = new IdTable();
      const map = new Map<number, number>();
      for (const [key, value, adds] of steps) {
        if (adds && !map.has(key)) {
          table.add(key, value);
          map.set(key, value);
        } else {
          table.delete(key);
          map.delete(key);
        }
        expect(table.size).toBe(map.size);
        for (const known of steps) expect(table.get(known[0])).toBe(map.get(known[0]) ?? -1);
      }
    }),
    { numRuns: 60 },
  );
});

it("finds ids that follow each other while old ones go", () => {
  const table = new IdTable();
  for (let row = 0; row < 10_000; row++) {
    table.add(row, row % 7);
    if (row >= 50) table.delete(row - 50);
  }
  expect(table.size).toBe(50);
  expect(table.get(9_999)).toBe(9_999 % 7);
  expect(table.get(9_949)).toBe(-1);
});
