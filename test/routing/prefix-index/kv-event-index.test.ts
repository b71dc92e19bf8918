import fc from "fast-check";
import { expect, it } from "vitest";
import { KvEventIndex } from "../../../src/routing/prefix-index/kv-event-index.js";
import type { PrefixKey } from "../../../src/routing/types.js";

const WORKERS = 40;
const SPECULATIVE_MS = 10;

const keyOf = (symbols: readonly number[]): PrefixKey => ({
  symbols: Int32Array.from(symbols),
  length: symbols.length,
  unitsPerSymbol: 16,
  totalUnits: 16 * symbols.length,
});

/** The index by the plainest means: what was stored, and until when each symbol is expected, by worker. */
class PlainIndex {
  private readonly stored = Array.from({ length: WORKERS }, () => new Set<number>());
  private readonly untilMs = Array.from({ length: WORKERS }, () => new Map<number, number>());

  tell(worker: number, kind: string, symbols: readonly number[], nowMs: number): void {
    if (kind === "stored") for (const symbol of symbols) this.stored[worker]!.add(symbol);
    if (kind === "removed") for (const symbol of symbols) this.stored[worker]!.delete(symbol);
    if (kind === "cleared" || kind === "gone") this.stored[worker]!.clear();
    if (kind === "gone") this.untilMs[worker]!.clear();
    if (kind !== "routed") return;
    for (const symbol of symbols) this.untilMs[worker]!.set(symbol, nowMs + SPECULATIVE_MS);
  }

  units(symbols: readonly number[], nowMs: number): number[] {
    return this.stored.map((stored, worker) => {
      const isHeld = (symbol: number): boolean =>
        stored.has(symbol) || (this.untilMs[worker]!.get(symbol) ?? -Infinity) > nowMs;
      const missing = symbols.findIndex((symbol) => !isHeld(symbol));
      return 16 * (missing < 0 ? symbols.length : missing);
    });
  }
}

it("knows what a plain map of symbols by worker knows, under any events and routed prompts", () => {
  const step = fc.record({
    kind: fc.constantFrom("stored", "stored", "removed", "cleared", "gone", "routed", "routed"),
    worker: fc.nat(WORKERS - 1),
    symbols: fc.array(fc.nat(6), { maxLength: 5 }),
    waitMs: fc.nat(6),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const index = new KvEventIndex(WORKERS, SPECULATIVE_MS);
      const plain = new PlainIndex();
      const out = new Float64Array(WORKERS);
      let nowMs = 0;
      for (const { kind, worker, symbols, waitMs } of steps) {
        nowMs += waitMs;
        plain.tell(worker, kind, symbols, nowMs);
        if (kind === "routed") index.insert(keyOf(symbols), worker, nowMs);
        else if (kind === "gone") index.removeWorker(worker);
        else {
          const told = kind;
          index.onKvEvent({ worker, kind: told, symbols: Int32Array.from(symbols) });
        }
        index.unitsOfEach(keyOf(symbols), nowMs, out);
        const expected = plain.units(symbols, nowMs);
        expect([...out]).toEqual(expected);
        const holders = [...index.holders.subarray(0, index.holderCount)].sort((a, b) => a - b);
        expect(holders).toEqual([...expected.keys()].filter((one) => expected[one]! > 0));
        expect(index.heldUnits(keyOf(symbols), worker)).toBe(expected[worker]);
      }
    }),
    { numRuns: 200 },
  );
});
