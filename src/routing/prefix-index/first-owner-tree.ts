import { grown } from "./grown.js";
import { Holdings } from "./holdings.js";
import { PrefixNodes, ROOT } from "./prefix-nodes.js";

/**
 * The approximate tree of vllm-router and SMG (`tree.rs`), with its habits: a match names one worker, the one
 * that first stored the node, however many hold it since; only the end node of an insertion gets a fresh
 * time; the size is bounded only when `evict` is called. Where the product's answer depends on the order of
 * a hash map, the worker that stored the node last is taken.
 *
 * Source: vllm-router 0.1.14 `src/tree.rs` (1dbe5075); SMG's is the same.
 */
export class FirstOwnerTree {
  private readonly nodes = new PrefixNodes();
  private readonly holdings: Holdings;
  private readonly heldSymbols: Float64Array;
  /** The worker that `match` answers with while it still holds the node, or -1; by node. */
  private lastOwner = new Int32Array(32).fill(-1);
  /** When the holder last used the node, 0 for an inner one; by record. */
  private time = new Int32Array(64);
  /** Children of the node that the same worker holds; by record. */
  private heldChildren = new Int32Array(64);
  private epoch = 0;

  /** The worker that owns what the last `match` found, or -1. */
  matchedOwner = -1;

  constructor(workers: number) {
    this.holdings = new Holdings(workers);
    this.holdings.openNode(ROOT);
    this.heldSymbols = new Float64Array(workers);
  }

  /** Symbols that a worker holds. */
  size(worker: number): number {
    return this.heldSymbols[worker]!;
  }

  /** Symbols from the start of the key that the tree knows; `matchedOwner` is then who is said to hold them. */
  match(symbols: Int32Array, length: number): number {
    const matched = this.nodes.match(symbols, length);
    const node = this.nodes.matched;
    this.matchedOwner = this.ownerOf(node);
    // One match in eight counts as a use.
    const epoch = this.epoch++;
    if ((epoch & 7) === 0 && this.matchedOwner >= 0) {
      this.time[this.holdings.find(node, this.matchedOwner)] = epoch;
    }
    return matched;
  }

  /** Symbols from the start of the key that a worker is said to hold; asking is no use of them. */
  ownedBy(worker: number, symbols: Int32Array, length: number): number {
    const matched = this.nodes.match(symbols, length);
    return this.currentOwner(this.nodes.matched) === worker ? matched : 0;
  }

  insert(symbols: Int32Array, length: number, worker: number): void {
    const { nodes } = this;
    this.hold(ROOT, worker, -1);
    let node = ROOT;
    let at = 0;
    while (at < length) {
      const child = nodes.child(node, symbols[at]!);
      if (child < 0) {
        const above = node;
        node = nodes.addLeaf(above, symbols, at, length);
        this.openNode(node, worker);
        this.hold(node, worker, above);
        break;
      }
      const shared = nodes.shared(child, symbols, at, length);
      const above = node;
      node = shared < nodes.length(child) ? this.split(child, shared) : child;
      this.hold(node, worker, above);
      at += shared;
    }
    this.time[this.holdings.find(node, worker)] = this.epoch++;
  }

  /** Brings every worker down to `limit` symbols, oldest leaf first. */
  evict(limit: number): void {
    for (let worker = 0; worker < this.heldSymbols.length; worker++) {
      if (this.size(worker) > limit) this.evictWorker(worker, limit);
    }
  }

  /** Forgets everything a worker holds. */
  removeWorker(worker: number): void {
    this.evictWorker(worker, 0);
    const root = this.holdings.find(ROOT, worker);
    if (root >= 0) this.holdings.drop(root);
  }

  private evictWorker(worker: number, limit: number): void {
    const { holdings, nodes } = this;
    const leaves: number[] = [];
    for (let record = holdings.oldestOf(worker); record >= 0; record = holdings.newerThan(record)) {
      if (this.heldChildren[record] === 0 && holdings.node(record) !== ROOT) leaves.push(record);
    }
    // Newest first, so that the oldest is popped from the end.
    leaves.sort((a, b) => this.time[b]! - this.time[a]!);
    while (this.size(worker) > limit) {
      const oldest = leaves.pop()!;
      const above = holdings.find(nodes.parent(holdings.node(oldest)), worker);
      this.release(oldest);
      if (--this.heldChildren[above]! > 0 || holdings.node(above) === ROOT) continue;
      const place = leaves.findLastIndex((other) => this.time[other]! >= this.time[above]!);
      leaves.splice(place + 1, 0, above);
    }
  }

  /** The worker no longer holds the node; a node that nobody holds goes. */
  private release(record: number): void {
    const { holdings, nodes } = this;
    const node = holdings.node(record);
    this.heldSymbols[holdings.worker(record)]! -= nodes.length(node);
    holdings.drop(record);
    if (!holdings.isHeld(node)) nodes.remove(node);
  }

  private hold(node: number, worker: number, above: number): void {
    if (this.holdings.find(node, worker) >= 0) return;
    this.record(node, worker, 0, 0);
    this.heldSymbols[worker]! += this.nodes.length(node);
    if (above >= 0) this.heldChildren[this.holdings.find(above, worker)]!++;
  }

  private record(node: number, worker: number, time: number, heldChildren: number): void {
    const record = this.holdings.add(node, worker);
    if (record >= this.time.length) {
      this.time = grown(this.time, record + 1);
      this.heldChildren = grown(this.heldChildren, record + 1);
    }
    this.time[record] = time;
    this.heldChildren[record] = heldChildren;
  }

  /** The upper half of a split edge has the holders, times and owner of the lower. */
  private split(node: number, shared: number): number {
    const { holdings } = this;
    const upper = this.nodes.split(node, shared);
    this.openNode(upper, this.lastOwner[node]!);
    for (let record = holdings.first(node); record >= 0; record = holdings.next(record)) {
      this.record(upper, holdings.worker(record), this.time[record]!, 1);
    }
    return upper;
  }

  private openNode(node: number, owner: number): void {
    this.holdings.openNode(node);
    if (node >= this.lastOwner.length) this.lastOwner = grown(this.lastOwner, node + 1);
    this.lastOwner[node] = owner;
  }

  /** The owner of a node, who remains it from now on. */
  private ownerOf(node: number): number {
    this.lastOwner[node] = this.currentOwner(node);
    return this.lastOwner[node];
  }

  private currentOwner(node: number): number {
    const { holdings } = this;
    const owner = this.lastOwner[node]!;
    if (owner >= 0 && holdings.find(node, owner) >= 0) return owner;
    const other = holdings.first(node);
    return other >= 0 ? holdings.worker(other) : -1;
  }
}
