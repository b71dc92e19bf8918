import fc from "fast-check";
import { expect, it } from "vitest";
import { Agenda } from "../../src/simulator/agenda.js";
import { Earliest } from "../../src/simulator/earliest.js";

it("hands out entries by time, equal times in the order they went in", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant(-1)), { maxLength: 400 }),
      (ops) => {
        const agenda = new Agenda();
        const oracle: { at: number; subject: number }[] = [];
        ops.forEach((op, i) => {
          if (op >= 0) {
            agenda.push(op, i % 7, i);
            oracle.push({ at: op, subject: i });
            oracle.sort((a, b) => a.at - b.at || a.subject - b.subject);
          } else if (oracle.length > 0) {
            const expected = oracle.shift()!;
            expect(agenda.atMs()).toBe(expected.at);
            agenda.pop();
            expect(agenda.subject).toBe(expected.subject);
            expect(agenda.kind).toBe(expected.subject % 7);
          }
          expect(agenda.atMs()).toBe(oracle[0]?.at ?? Infinity);
        });
      },
    ),
  );
});

it("finds the earliest of a set of clocks, the lower index at equal times", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.tuple(fc.nat(19), fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constant(Infinity)))),
      (entities, updates) => {
        const earliest = new Earliest(entities);
        const clocks = Array.from({ length: entities }, () => Infinity);
        for (const [entity, at] of updates) {
          if (entity >= entities) continue;
          earliest.set(entity, at);
          clocks[entity] = at;
          const min = Math.min(...clocks);
          expect(earliest.atMs()).toBe(min);
          if (min !== Infinity) expect(earliest.entity()).toBe(clocks.indexOf(min));
        }
      },
    ),
  );
});
