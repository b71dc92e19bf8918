import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HandleLedger } from "../../../mock-engines/kv/handle-ledger.js";

function ledgerWith(requestId: string): HandleLedger {
  const ledger = new HandleLedger("P");
  ledger.issue(requestId, 7, [1, 2, 3], 100);
  return ledger;
}

describe("the ledger of KV handles", () => {
  it("frees the blocks of a handle once, when its read is complete", () => {
    const ledger = ledgerWith("r");
    expect(ledger.beginRead("P", "r", [1, 2, 3])).toBe("ok");
    expect(ledger.outstanding).toBe(1);
    expect(ledger.finishRead("r")).toBe(7);
    expect(ledger.finishRead("r")).toBeNull();
    expect(ledger.outstanding).toBe(0);
  });

  it.each([
    ["an engine id of another engine", "X", "r", [1, 2, 3], "wrong_engine"],
    ["a request id it never gave out", "P", "s", [1, 2, 3], "unknown"],
    ["other block ids", "P", "r", [1, 2, 4], "wrong_blocks"],
    ["fewer block ids", "P", "r", [1, 2], "wrong_blocks"],
    ["block ids in another order", "P", "r", [3, 2, 1], "wrong_blocks"],
  ] as const)("refuses %s and goes on holding the blocks", (_what, engine, request, blocks, outcome) => {
    const ledger = ledgerWith("r");
    expect(ledger.beginRead(engine, request, blocks)).toBe(outcome);
    expect(ledger.beginRead("P", "r", [1, 2, 3])).toBe("ok");
  });

  it("refuses a second reader, while the first reads and after it has read", () => {
    const ledger = ledgerWith("r");
    ledger.beginRead("P", "r", [1, 2, 3]);
    expect(ledger.beginRead("P", "r", [1, 2, 3])).toBe("duplicate");
    ledger.finishRead("r");
    expect(ledger.beginRead("P", "r", [1, 2, 3])).toBe("duplicate");
  });

  it("gives up a handle at the end of its lease, not before", () => {
    const ledger = ledgerWith("r");
    expect(ledger.nextExpiryMs()).toBe(100);
    expect(ledger.expire(99.9)).toEqual([]);
    expect(ledger.expire(100)).toEqual([7]);
    expect(ledger.beginRead("P", "r", [1, 2, 3])).toBe("expired");
    expect(ledger.nextExpiryMs()).toBe(Infinity);
  });

  it("releases a handle that nobody reads, but not under a reader", () => {
    const unread = ledgerWith("r");
    expect(unread.release("r")).toBe(7);
    expect(unread.release("r")).toBeNull();
    const read = ledgerWith("r");
    read.beginRead("P", "r", [1, 2, 3]);
    expect(read.release("r")).toBeNull();
  });

  it("counts every handle in exactly one place, whatever happens in whatever order", () => {
    const operation = fc.record({
      kind: fc.constantFrom("issue", "read", "done", "release", "expire"),
      id: fc.integer({ min: 0, max: 5 }),
    });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 80 }), (operations) => {
        const ledger = new HandleLedger("P");
        const freed = new Map<number, number>();
        const free = (leg: number | null): void => {
          if (leg !== null) freed.set(leg, (freed.get(leg) ?? 0) + 1);
        };
        const issued = new Set<number>();
        for (const [atMs, { kind, id }] of operations.entries()) {
          if (kind === "issue" && !issued.has(id)) {
            issued.add(id);
            ledger.issue(`r${id}`, id, [id], atMs + 10);
          }
          if (kind === "read") ledger.beginRead("P", `r${id}`, [id]);
          if (kind === "done") free(ledger.finishRead(`r${id}`));
          if (kind === "release") free(ledger.release(`r${id}`));
          if (kind === "expire") for (const leg of ledger.expire(atMs)) free(leg);
          const { counts } = ledger;
          expect(counts.read + counts.released + counts.expired + ledger.outstanding).toBe(counts.issued);
        }
        expect([...freed.values()].every((times) => times === 1)).toBe(true);
        expect(freed.size).toBe(issued.size - ledger.outstanding);
      }),
    );
  });
});
