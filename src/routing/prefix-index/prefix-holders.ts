import type { PrefixKey, Worker } from "../types.js";
import { FirstOwnerTree } from "./first-owner-tree.js";
import type { PrefixIndex } from "./prefix-index.js";
import { RadixTree } from "./radix-tree.js";

/** Which workers are believed to hold which prefixes. */
export interface PrefixHolders {
  /**
   * Units from the start of the prefix that are held; `isHolder` then tells by whom. Where it is known who else
   * holds a part, that is the most that one of `candidates` holds.
   */
  match(prefix: PrefixKey, nowMs: number, candidates: readonly Worker[]): number;
  /** Whether a worker holds all that `match` last found. */
  isHolder(worker: number): boolean;
  /** Units from the start of the prefix that one worker holds. */
  heldUnits(prefix: PrefixKey, worker: number): number;
  insert(prefix: PrefixKey, worker: number, nowMs: number): void;
  removeWorker(worker: number): void;
}

/** Knows all holders of a prefix; each worker's oldest prefixes go as soon as its bound is reached. */
export class AllHolders implements PrefixHolders, PrefixIndex {
  private readonly fleetSize: number;
  private readonly maxUnits: number;
  private readonly lifetimeMs: number;
  private tree: RadixTree | null = null;
  private readonly found: Int32Array;
  private readonly flags: Uint8Array;

  /**
   * @param maxUnits Units that each worker may hold.
   * @param lifetimeMs How long a prefix lasts without use.
   */
  constructor(fleetSize: number, maxUnits: number, lifetimeMs = Infinity) {
    this.fleetSize = fleetSize;
    this.maxUnits = maxUnits;
    this.lifetimeMs = lifetimeMs;
    this.found = new Int32Array(fleetSize);
    this.flags = new Uint8Array(fleetSize);
  }

  match(prefix: PrefixKey, nowMs: number, candidates: readonly Worker[]): number {
    this.flags.fill(0);
    if (this.tree === null) return 0;
    this.tree.expire(nowMs);
    const symbols = this.tree.match(prefix.symbols, prefix.length);
    if (symbols === 0) return 0;
    const holders = this.tree.holders(this.found);
    for (let i = 0; i < holders; i++) this.flags[this.found[i]!] = 1;
    if (candidates.some(({ index }) => this.flags[index] === 1)) return unitsOf(symbols, prefix);
    return this.matchAmong(prefix, candidates);
  }

  isHolder(worker: number): boolean {
    return this.flags[worker] === 1;
  }

  heldUnits(prefix: PrefixKey, worker: number): number {
    if (this.tree === null) return 0;
    this.tree.matchEach(prefix.symbols, prefix.length, this.found);
    return unitsOf(this.found[worker]!, prefix);
  }

  unitsOfEach(prefix: PrefixKey, nowMs: number, out: Float64Array): void {
    out.fill(0);
    if (this.tree === null) return;
    this.tree.expire(nowMs);
    this.tree.matchEach(prefix.symbols, prefix.length, this.found);
    for (let worker = 0; worker < this.fleetSize; worker++)
      out[worker] = unitsOf(this.found[worker]!, prefix);
  }

  insert(prefix: PrefixKey, worker: number, nowMs: number): void {
    // How many symbols the bound is becomes known with the first request.
    const limit = Math.ceil(this.maxUnits / prefix.unitsPerSymbol);
    this.tree ??= new RadixTree(this.fleetSize, limit, this.lifetimeMs);
    this.tree.insert(prefix.symbols, prefix.length, worker, nowMs);
  }

  /** Symbols of prefixes that a worker holds. */
  size(worker: number): number {
    return this.tree?.size(worker) ?? 0;
  }

  removeWorker(worker: number): void {
    this.tree?.removeWorker(worker);
  }

  /** `match` where all who hold most of the prefix are down. */
  private matchAmong(prefix: PrefixKey, candidates: readonly Worker[]): number {
    this.flags.fill(0);
    this.tree!.matchEach(prefix.symbols, prefix.length, this.found);
    let most = 0;
    for (const { index } of candidates) most = Math.max(most, this.found[index]!);
    if (most === 0) return 0;
    for (const { index } of candidates) if (this.found[index] === most) this.flags[index] = 1;
    return unitsOf(most, prefix);
  }
}

/** Knows one holder of a prefix, whoever stored it first; bounds are enforced at intervals (vllm-router, SMG). */
export class FirstOwner implements PrefixHolders {
  private readonly tree: FirstOwnerTree;
  private readonly maxUnits: number;
  private readonly evictionIntervalMs: number;
  private nextEvictionMs: number;

  constructor(fleetSize: number, maxUnits: number, evictionIntervalMs: number) {
    this.tree = new FirstOwnerTree(fleetSize);
    this.maxUnits = maxUnits;
    this.evictionIntervalMs = evictionIntervalMs;
    this.nextEvictionMs = evictionIntervalMs;
  }

  match(prefix: PrefixKey, nowMs: number): number {
    this.evictWhenDue(prefix, nowMs);
    return unitsOf(this.tree.match(prefix.symbols, prefix.length), prefix);
  }

  isHolder(worker: number): boolean {
    return this.tree.matchedOwner === worker;
  }

  heldUnits(prefix: PrefixKey, worker: number): number {
    return unitsOf(this.tree.ownedBy(worker, prefix.symbols, prefix.length), prefix);
  }

  insert(prefix: PrefixKey, worker: number, nowMs: number): void {
    this.evictWhenDue(prefix, nowMs);
    this.tree.insert(prefix.symbols, prefix.length, worker);
  }

  removeWorker(worker: number): void {
    this.tree.removeWorker(worker);
  }

  private evictWhenDue({ unitsPerSymbol }: PrefixKey, nowMs: number): void {
    if (nowMs < this.nextEvictionMs) return;
    this.tree.evict(Math.floor(this.maxUnits / unitsPerSymbol));
    this.nextEvictionMs = (Math.floor(nowMs / this.evictionIntervalMs) + 1) * this.evictionIntervalMs;
  }
}

/** Units that the first `symbols` symbols of a prefix stand for. */
export function unitsOf(symbols: number, { unitsPerSymbol, totalUnits }: PrefixKey): number {
  return Math.min(symbols * unitsPerSymbol, totalUnits);
}
