import type { KvEvent, PrefixKey } from "../types.js";
import type { PrefixIndex } from "./prefix-index.js";
import { unitsOf } from "./prefix-holders.js";

/**
 * What the engines say they hold, by their KV events, and for a while what they are about to hold: a prompt
 * just routed counts as held for `speculativeMs`, which covers the time until the engine's event arrives.
 *
 * Each symbol must name its whole prefix, as vLLM's chained block hashes and a trace's block ids do. What a
 * worker holds of a prefix is its unbroken run from the start.
 */
export class KvEventIndex implements PrefixIndex {
  private readonly stored: readonly Set<number>[];
  /** Expected symbols and when they stop to count, in two generations so that old ones go all at once. */
  private expected: Map<number, number>[];
  private expectedBefore: Map<number, number>[];
  private generationEndMs = 0;
  private readonly speculativeMs: number;
  private nowMs = 0;

  constructor(fleetSize: number, speculativeMs: number) {
    this.stored = Array.from({ length: fleetSize }, () => new Set<number>());
    this.expected = mapsFor(fleetSize);
    this.expectedBefore = mapsFor(fleetSize);
    this.speculativeMs = speculativeMs;
  }

  unitsOfEach(prefix: PrefixKey, nowMs: number, out: Float64Array): void {
    this.nowMs = nowMs;
    for (let worker = 0; worker < out.length; worker++) out[worker] = this.heldUnits(prefix, worker);
  }

  heldUnits(prefix: PrefixKey, worker: number): number {
    const { symbols, length } = prefix;
    let held = 0;
    while (held < length && this.holds(worker, symbols[held]!)) held++;
    return unitsOf(held, prefix);
  }

  insert({ symbols, length }: PrefixKey, worker: number, nowMs: number): void {
    if (this.speculativeMs === 0) return;
    if (nowMs >= this.generationEndMs) {
      this.expectedBefore = this.expected;
      this.expected = mapsFor(this.stored.length);
      this.generationEndMs = nowMs + this.speculativeMs;
    }
    const expected = this.expected[worker]!;
    for (let i = 0; i < length; i++) expected.set(symbols[i]!, nowMs + this.speculativeMs);
  }

  removeWorker(worker: number): void {
    this.stored[worker]!.clear();
    this.expected[worker]!.clear();
    this.expectedBefore[worker]!.clear();
  }

  onKvEvent({ worker, kind, symbols }: KvEvent): void {
    const stored = this.stored[worker]!;
    if (kind === "cleared") stored.clear();
    else if (kind === "stored") for (const symbol of symbols) stored.add(symbol);
    else for (const symbol of symbols) stored.delete(symbol);
  }

  private holds(worker: number, symbol: number): boolean {
    if (this.stored[worker]!.has(symbol)) return true;
    const untilMs =
      this.expected[worker]!.get(symbol) ?? this.expectedBefore[worker]!.get(symbol) ?? -Infinity;
    return untilMs > this.nowMs;
  }
}

function mapsFor(workers: number): Map<number, number>[] {
  return Array.from({ length: workers }, () => new Map<number, number>());
}
