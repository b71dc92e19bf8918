import { grownFloats } from "./grown.js";
import { Holdings } from "./holdings.js";
import { PrefixNodes, ROOT } from "./prefix-nodes.js";
import { TimedWorkers } from "../timed-workers.js";

/**
 * A radix tree over integer symbols that remembers which workers hold which prefixes.
 *
 * A worker that holds a node holds all nodes above it. Each worker's holdings are bounded; beyond the bound
 * the least recently used node goes first, and never before the nodes below it, as in vLLM's prefix cache.
 * A holding that is not used for the lifetime of holdings goes as well.
 */
export class RadixTree {
  private readonly nodes = new PrefixNodes();
  private readonly holdings: Holdings;
  private readonly limit: number;
  private readonly lifetimeMs: number;
  private readonly heldSymbols: Float64Array;
  /** When each record was last used, where holdings have a lifetime. */
  private usedMs = new Float64Array(64);
  /** Every insertion, where holdings have a lifetime: the oldest may have left something to let go. */
  private readonly uses = new TimedWorkers();

  /**
   * @param workers Workers are numbered from 0.
   * @param limit Symbols that each worker may hold.
   * @param lifetimeMs How long a holding lasts without use.
   */
  constructor(workers: number, limit: number, lifetimeMs = Infinity) {
    this.holdings = new Holdings(workers);
    this.holdings.openNode(ROOT);
    this.limit = limit;
    this.lifetimeMs = lifetimeMs;
    this.heldSymbols = new Float64Array(workers);
  }

  /** Symbols that a worker holds. */
  size(worker: number): number {
    return this.heldSymbols[worker]!;
  }

  /** Symbols from the start of the key that some worker holds. `holders` then tells which. */
  match(symbols: Int32Array, length: number): number {
    return this.nodes.match(symbols, length);
  }

  /** Writes the workers that hold what `match` last found into `out` and returns their number. */
  holders(out: Int32Array): number {
    const { holdings } = this;
    let count = 0;
    for (let record = holdings.first(this.nodes.matched); record >= 0; record = holdings.next(record)) {
      out[count++] = holdings.worker(record);
    }
    return count;
  }

  /**
   * Writes the workers that hold something from the start of the key into `who` and returns their number; `out` then
   * tells how many symbols each of them holds, and nothing of the others.
   */
  matchEach(symbols: Int32Array, length: number, out: Int32Array, who: Int32Array): number {
    const { nodes, holdings } = this;
    let count = 0;
    let node = ROOT;
    let at = 0;
    while (at < length) {
      const above = node;
      node = nodes.child(node, symbols[at]!);
      if (node < 0) break;
      const shared = nodes.shared(node, symbols, at, length);
      at += shared;
      for (let record = holdings.first(node); record >= 0; record = holdings.next(record)) {
        const worker = holdings.worker(record);
        out[worker] = at;
        // Whoever holds a node holds those above it, so the first one has them all.
        if (above === ROOT) who[count++] = worker;
      }
      if (shared < nodes.length(node)) break;
    }
    return count;
  }

  /** Symbols from the start of the key that one worker holds. */
  heldBy(worker: number, symbols: Int32Array, length: number): number {
    const { nodes, holdings } = this;
    let node = ROOT;
    let at = 0;
    while (at < length) {
      node = nodes.child(node, symbols[at]!);
      if (node < 0 || holdings.find(node, worker) < 0) break;
      const shared = nodes.shared(node, symbols, at, length);
      at += shared;
      if (shared < nodes.length(node)) break;
    }
    return at;
  }

  /** `worker` now holds the key. A key beyond the worker's bound is held as far as the bound goes. */
  insert(symbols: Int32Array, length: number, worker: number, nowMs = 0): void {
    const { nodes } = this;
    const end = Math.min(length, this.limit);
    let node = ROOT;
    let at = 0;
    while (at < end) {
      const child = nodes.child(node, symbols[at]!);
      if (child < 0) {
        node = nodes.addLeaf(node, symbols, at, end);
        this.holdings.openNode(node);
        break;
      }
      const shared = nodes.shared(child, symbols, at, end);
      node = shared < nodes.length(child) ? this.split(child, shared) : child;
      at += shared;
    }
    // From the leaf up, so that a node is always more recently used than those below it.
    for (; node !== ROOT; node = nodes.parent(node)) this.use(node, worker, nowMs);
    while (this.heldSymbols[worker]! > this.limit) this.drop(this.holdings.oldestOf(worker));
    if (this.lifetimeMs < Infinity) this.uses.push(worker, nowMs);
  }

  /** Lets go what has not been used for the lifetime of holdings; true = something was. */
  expire(nowMs: number): boolean {
    let hasDropped = false;
    while (nowMs - this.uses.firstMs > this.lifetimeMs) {
      const worker = this.uses.shift();
      let record = this.holdings.oldestOf(worker);
      while (record >= 0 && nowMs - this.usedMs[record]! > this.lifetimeMs) {
        this.drop(record);
        hasDropped = true;
        record = this.holdings.oldestOf(worker);
      }
    }
    return hasDropped;
  }

  /** Forgets everything a worker holds. */
  removeWorker(worker: number): void {
    const { holdings } = this;
    for (let record = holdings.oldestOf(worker); record >= 0; record = holdings.oldestOf(worker)) {
      this.drop(record);
    }
  }

  private use(node: number, worker: number, nowMs: number): void {
    let record = this.holdings.find(node, worker);
    if (record >= 0) {
      this.holdings.renew(record);
    } else {
      record = this.holdings.add(node, worker);
      this.heldSymbols[worker]! += this.nodes.length(node);
    }
    this.stamp(record, nowMs);
  }

  private stamp(record: number, usedMs: number): void {
    if (this.lifetimeMs === Infinity) return;
    if (record >= this.usedMs.length) this.usedMs = grownFloats(this.usedMs, record + 1);
    this.usedMs[record] = usedMs;
  }

  private split(node: number, shared: number): number {
    const { holdings } = this;
    const upper = this.nodes.split(node, shared);
    holdings.openNode(upper);
    for (let record = holdings.first(node); record >= 0; record = holdings.next(record)) {
      this.stamp(holdings.add(upper, holdings.worker(record), record), this.usedMs[record]!);
    }
    return upper;
  }

  private drop(record: number): void {
    const { holdings, nodes } = this;
    const node = holdings.node(record);
    this.heldSymbols[holdings.worker(record)]! -= nodes.length(node);
    holdings.drop(record);
    if (!holdings.isHeld(node)) nodes.remove(node);
  }
}
