import type { KvEvent, PrefixKey } from "../types.js";
import { PairTable } from "./pair-table.js";
import type { PrefixIndex } from "./prefix-index.js";
import { unitsOf } from "./prefix-holders.js";
import { SymbolHolders } from "./symbol-holders.js";

/** A prompt that was routed and counts as held until its engine has told. */
interface Expectation {
  readonly worker: number;
  readonly symbols: Int32Array;
  readonly untilMs: number;
}

/**
 * What the engines say they hold, by their KV events, and for a while what they are about to hold: a prompt
 * just routed counts as held for `speculativeMs`, which covers the time until the engine's event arrives.
 *
 * Each symbol must name its whole prefix, as vLLM's chained block hashes and a trace's block ids do. What a
 * worker holds of a prefix is its unbroken run from the start.
 */
export class KvEventIndex implements PrefixIndex {
  private readonly stored: SymbolHolders;
  private readonly expected: SymbolHolders;
  /** How many expectations each (symbol, worker) is in, by row; the rows that are free. */
  private readonly expectedPairs = new PairTable();
  private readonly expectations: number[] = [];
  private readonly freePairs: number[] = [];
  /** In order of time, from `firstPending` on. */
  private pending: Expectation[] = [];
  private firstPending = 0;
  private readonly speculativeMs: number;
  /** The workers that hold the prefix looked up as far as it has been followed, 32 a word. */
  private readonly following: Int32Array;

  readonly holders: Int32Array;
  holderCount = 0;

  constructor(fleetSize: number, speculativeMs: number) {
    this.stored = new SymbolHolders(fleetSize);
    this.expected = new SymbolHolders(fleetSize);
    this.speculativeMs = speculativeMs;
    this.following = new Int32Array(this.stored.words);
    this.holders = new Int32Array(fleetSize);
  }

  unitsOfEach(prefix: PrefixKey, nowMs: number, out: Float64Array): void {
    this.expire(nowMs);
    out.fill(0);
    this.holderCount = 0;
    const { symbols, length } = prefix;
    const { following, stored, expected } = this;
    following.fill(-1);
    let any = true;
    for (let at = 0; any && at <= length; at++) {
      const inStored = at < length ? stored.rowOf(symbols[at]!) : -1;
      const inExpected = at < length ? expected.rowOf(symbols[at]!) : -1;
      any = false;
      for (let word = 0; word < following.length; word++) {
        const before = following[word]!;
        if (before === 0) continue;
        const holding = before & (stored.bits(inStored, word) | expected.bits(inExpected, word));
        following[word] = holding;
        if (holding !== 0) any = true;
        if (at > 0 && holding !== before) this.write(before & ~holding, word, unitsOf(at, prefix), out);
      }
    }
  }

  heldUnits(prefix: PrefixKey, worker: number): number {
    const { symbols, length } = prefix;
    let held = 0;
    while (held < length && this.holds(worker, symbols[held]!)) held++;
    return unitsOf(held, prefix);
  }

  insert({ symbols, length }: PrefixKey, worker: number, nowMs: number): void {
    if (this.speculativeMs === 0) return;
    const own = symbols.slice(0, length);
    this.pending.push({ worker, symbols: own, untilMs: nowMs + this.speculativeMs });
    for (const symbol of own) this.expect(symbol, worker);
  }

  removeWorker(worker: number): void {
    this.stored.removeWorker(worker);
    const others = this.pending.slice(this.firstPending).filter((pending) => pending.worker !== worker);
    const own = this.pending.slice(this.firstPending).filter((pending) => pending.worker === worker);
    for (const { symbols } of own) for (const symbol of symbols) this.unexpect(symbol, worker);
    this.pending = others;
    this.firstPending = 0;
  }

  onKvEvent({ worker, kind, symbols }: KvEvent): void {
    const { stored } = this;
    if (kind === "cleared") stored.removeWorker(worker);
    else if (kind === "stored") for (const symbol of symbols) stored.add(symbol, worker);
    else for (const symbol of symbols) stored.remove(symbol, worker);
  }

  /** Notes that the workers of some bits hold so many units, and no more. */
  private write(bits: number, word: number, units: number, out: Float64Array): void {
    while (bits !== 0) {
      const worker = 32 * word + 31 - Math.clz32(bits & -bits);
      bits &= bits - 1;
      out[worker] = units;
      this.holders[this.holderCount++] = worker;
    }
  }

  private holds(worker: number, symbol: number): boolean {
    return this.stored.has(symbol, worker) || this.expected.has(symbol, worker);
  }

  private expect(symbol: number, worker: number): void {
    let pair = this.expectedPairs.find(symbol, worker);
    if (pair < 0) {
      pair = this.freePairs.pop() ?? this.expectations.length;
      this.expectedPairs.add(symbol, worker, pair);
      this.expectations[pair] = 0;
      this.expected.add(symbol, worker);
    }
    this.expectations[pair]!++;
  }

  private unexpect(symbol: number, worker: number): void {
    const pair = this.expectedPairs.find(symbol, worker);
    if (--this.expectations[pair]! > 0) return;
    this.expectedPairs.remove(symbol, worker);
    this.freePairs.push(pair);
    this.expected.remove(symbol, worker);
  }

  private expire(nowMs: number): void {
    const { pending } = this;
    while (this.firstPending < pending.length && pending[this.firstPending]!.untilMs <= nowMs) {
      const { symbols, worker } = pending[this.firstPending++]!;
      for (const symbol of symbols) this.unexpect(symbol, worker);
    }
    if (2 * this.firstPending <= pending.length) return;
    this.pending = pending.slice(this.firstPending);
    this.firstPending = 0;
  }
}
