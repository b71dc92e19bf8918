import type { CandidateSet } from "../candidate-set.js";
import { ChangeLog } from "../change-log.js";
import type { PrefixKey } from "../types.js";
import { FirstOwnerTree } from "./first-owner-tree.js";
import type { PrefixIndex } from "./prefix-index.js";
import { RadixTree } from "./radix-tree.js";

/** Which workers are believed to hold which prefixes. */
export interface PrefixHolders {
  /**
   * Units from the start of the prefix that are held; `holders` then tells by whom. Where it is known who else
   * holds a part, that is the most that one of `candidates` holds.
   */
  match(prefix: PrefixKey, nowMs: number, candidates: CandidateSet): number;
  /**
   * The workers that hold all that `match` last found: the first `holderCount` of `holders`, in any order,
   * candidates or not.
   */
  readonly holders: Int32Array;
  readonly holderCount: number;
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
  readonly holders: Int32Array;
  holderCount = 0;
  /** Changes of `size`. */
  readonly sizeChanges: ChangeLog;
  /** Symbols held, by worker; only of those that are found to hold any. */
  private readonly found: Int32Array;

  /**
   * @param maxUnits Units that each worker may hold.
   * @param lifetimeMs How long a prefix lasts without use.
   */
  constructor(fleetSize: number, maxUnits: number, lifetimeMs = Infinity) {
    this.fleetSize = fleetSize;
    this.maxUnits = maxUnits;
    this.lifetimeMs = lifetimeMs;
    this.found = new Int32Array(fleetSize);
    this.holders = new Int32Array(fleetSize);
    this.sizeChanges = new ChangeLog(fleetSize);
  }

  match(prefix: PrefixKey, nowMs: number, candidates: CandidateSet): number {
    this.holderCount = 0;
    if (this.tree === null) return 0;
    if (this.tree.expire(nowMs)) this.sizeChanges.addAll();
    const symbols = this.tree.match(prefix.symbols, prefix.length);
    if (symbols === 0) return 0;
    this.holderCount = this.tree.holders(this.holders);
    for (let i = 0; i < this.holderCount; i++) {
      if (candidates.has(this.holders[i]!)) return unitsOf(symbols, prefix);
    }
    return this.matchAmong(prefix, candidates);
  }

  heldUnits(prefix: PrefixKey, worker: number): number {
    return unitsOf(this.tree?.heldBy(worker, prefix.symbols, prefix.length) ?? 0, prefix);
  }

  unitsOfEach(prefix: PrefixKey, nowMs: number, out: Float64Array): void {
    out.fill(0);
    this.holderCount = 0;
    if (this.tree === null) return;
    if (this.tree.expire(nowMs)) this.sizeChanges.addAll();
    this.holderCount = this.tree.matchEach(prefix.symbols, prefix.length, this.found, this.holders);
    for (let i = 0; i < this.holderCount; i++) {
      const worker = this.holders[i]!;
      out[worker] = unitsOf(this.found[worker]!, prefix);
    }
  }

  insert(prefix: PrefixKey, worker: number, nowMs: number): void {
    // How many symbols the bound is becomes known with the first request.
    const limit = Math.ceil(this.maxUnits / prefix.unitsPerSymbol);
    this.tree ??= new RadixTree(this.fleetSize, limit, this.lifetimeMs);
    this.tree.insert(prefix.symbols, prefix.length, worker, nowMs);
    this.sizeChanges.add(worker);
  }

  /** Symbols of prefixes that a worker holds. */
  size(worker: number): number {
    return this.tree?.size(worker) ?? 0;
  }

  removeWorker(worker: number): void {
    this.tree?.removeWorker(worker);
    this.sizeChanges.add(worker);
  }

  /** `match` where all who hold most of the prefix are down. */
  private matchAmong(prefix: PrefixKey, candidates: CandidateSet): number {
    const { found, holders } = this;
    const count = this.tree!.matchEach(prefix.symbols, prefix.length, found, holders);
    let most = 0;
    this.holderCount = 0;
    for (let i = 0; i < count; i++) {
      const worker = holders[i]!;
      const held = found[worker]!;
      if (held < most || !candidates.has(worker)) continue;
      if (held > most) this.holderCount = 0;
      most = held;
      holders[this.holderCount++] = worker;
    }
    return unitsOf(most, prefix);
  }
}

/** Knows one holder of a prefix, whoever stored it first; bounds are enforced at intervals (vllm-router, SMG). */
export class FirstOwner implements PrefixHolders {
  private readonly tree: FirstOwnerTree;
  readonly holders = new Int32Array(1);
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
    const symbols = this.tree.match(prefix.symbols, prefix.length);
    this.holders[0] = this.tree.matchedOwner;
    return unitsOf(symbols, prefix);
  }

  get holderCount(): number {
    return this.holders[0]! < 0 ? 0 : 1;
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
