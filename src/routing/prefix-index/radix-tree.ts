import { EdgeTable } from "./edge-table.js";
import { grown } from "./grown.js";
import { Holdings } from "./holdings.js";

const ROOT = 0;

/**
 * A radix tree over integer symbols that remembers which workers hold which prefixes.
 *
 * A worker that holds a node holds all nodes above it. Each worker's holdings are bounded; beyond the bound
 * the least recently used node goes first, and never before the nodes below it, as in vLLM's prefix cache.
 *
 * Nodes are rows of typed arrays and edges are slices of one arena, so that splitting an edge copies nothing
 * and a step down costs one hash probe.
 */
export class RadixTree {
  private readonly edges = new EdgeTable();
  private readonly holdings: Holdings;
  private readonly limit: number;
  private readonly heldSymbols: Float64Array;

  /** Edge of each node: `arena[start, start + length)`. */
  private start = new Int32Array(32);
  private length = new Int32Array(32);
  /** Node above; for free rows the next free row. */
  private parent = new Int32Array(32).fill(-1);
  private rows = 1;
  private freeRow = -1;

  private arena = new Int32Array(256);
  private arenaUsed = 0;
  private arenaGarbage = 0;

  private matchedNode = ROOT;

  /**
   * @param workers Workers are numbered from 0.
   * @param limit Symbols that each worker may hold.
   */
  constructor(workers: number, limit: number) {
    this.holdings = new Holdings(workers);
    this.holdings.openNode(ROOT);
    this.limit = limit;
    this.heldSymbols = new Float64Array(workers);
  }

  /** Symbols that a worker holds. */
  size(worker: number): number {
    return this.heldSymbols[worker]!;
  }

  /** Symbols from the start of the key that some worker holds. `holders` then tells which. */
  match(symbols: Int32Array, length: number): number {
    let node = ROOT;
    let at = 0;
    while (at < length) {
      const child = this.edges.find(node, symbols[at]!);
      if (child < 0) break;
      const shared = this.sharedSymbols(child, symbols, at, length);
      at += shared;
      node = child;
      if (shared < this.length[child]!) break;
    }
    this.matchedNode = node;
    return at;
  }

  /** Writes the workers that hold what `match` last found into `out` and returns their number. */
  holders(out: Int32Array): number {
    const { holdings } = this;
    let count = 0;
    for (let record = holdings.first(this.matchedNode); record >= 0; record = holdings.next(record)) {
      out[count++] = holdings.worker(record);
    }
    return count;
  }

  /** Writes for every worker how many symbols from the start of the key it holds. */
  matchEach(symbols: Int32Array, length: number, out: Int32Array): void {
    const { holdings } = this;
    out.fill(0);
    let node = ROOT;
    let at = 0;
    while (at < length) {
      node = this.edges.find(node, symbols[at]!);
      if (node < 0) break;
      const shared = this.sharedSymbols(node, symbols, at, length);
      at += shared;
      for (let record = holdings.first(node); record >= 0; record = holdings.next(record)) {
        out[holdings.worker(record)] = at;
      }
      if (shared < this.length[node]!) break;
    }
  }

  /** `worker` now holds the key. A key beyond the worker's bound is held as far as the bound goes. */
  insert(symbols: Int32Array, length: number, worker: number): void {
    const end = Math.min(length, this.limit);
    let node = ROOT;
    let at = 0;
    while (at < end) {
      const child = this.edges.find(node, symbols[at]!);
      if (child < 0) {
        node = this.addLeaf(node, symbols, at, end);
        break;
      }
      const shared = this.sharedSymbols(child, symbols, at, end);
      node = shared < this.length[child]! ? this.split(child, shared) : child;
      at += shared;
    }
    // From the leaf up, so that a node is always more recently used than those below it.
    for (; node !== ROOT; node = this.parent[node]!) {
      if (this.holdings.use(node, worker)) this.heldSymbols[worker]! += this.length[node]!;
    }
    while (this.heldSymbols[worker]! > this.limit) this.dropOldest(worker);
  }

  /** Forgets everything a worker holds. */
  removeWorker(worker: number): void {
    while (this.holdings.oldestNode(worker) >= 0) this.dropOldest(worker);
  }

  private sharedSymbols(node: number, symbols: Int32Array, at: number, end: number): number {
    const { arena } = this;
    const start = this.start[node]!;
    const most = Math.min(this.length[node]!, end - at);
    // The first symbol is what the edge was found by.
    let shared = 1;
    while (shared < most && arena[start + shared] === symbols[at + shared]) shared++;
    return shared;
  }

  private addLeaf(above: number, symbols: Int32Array, from: number, to: number): number {
    this.reserve(to - from);
    const node = this.newRow(above, this.arenaUsed, to - from);
    for (let i = from; i < to; i++) this.arena[this.arenaUsed++] = symbols[i]!;
    this.edges.add(above, symbols[from]!, node);
    return node;
  }

  /** Cuts an edge after `shared` symbols and returns the new node that ends there. */
  private split(node: number, shared: number): number {
    const above = this.parent[node]!;
    const start = this.start[node]!;
    const upper = this.newRow(above, start, shared);
    this.edges.remove(node);
    this.edges.add(above, this.arena[start]!, upper);
    this.start[node] = start + shared;
    this.length[node]! -= shared;
    this.parent[node] = upper;
    this.edges.add(upper, this.arena[start + shared]!, node);
    this.holdings.splitAbove(upper, node);
    return upper;
  }

  private dropOldest(worker: number): void {
    const node = this.holdings.oldestNode(worker);
    this.holdings.drop(node, worker);
    this.heldSymbols[worker]! -= this.length[node]!;
    if (this.holdings.isHeld(node)) return;
    this.edges.remove(node);
    this.arenaGarbage += this.length[node]!;
    this.length[node] = 0;
    this.parent[node] = this.freeRow;
    this.freeRow = node;
  }

  private newRow(above: number, start: number, length: number): number {
    let node = this.freeRow;
    if (node >= 0) {
      this.freeRow = this.parent[node]!;
    } else {
      node = this.rows++;
      if (node === this.parent.length) {
        this.start = grown(this.start, node + 1);
        this.length = grown(this.length, node + 1);
        this.parent = grown(this.parent, node + 1);
      }
    }
    this.start[node] = start;
    this.length[node] = length;
    this.parent[node] = above;
    this.holdings.openNode(node);
    return node;
  }

  /** Makes room for `count` symbols: by compaction when half of the arena is garbage, else by growing. */
  private reserve(count: number): void {
    if (this.arenaUsed + count <= this.arena.length) return;
    const live = this.arenaUsed - this.arenaGarbage;
    const size = 2 * (live + count) <= this.arena.length ? this.arena.length : 2 * (live + count);
    const compact = new Int32Array(size);
    let used = 0;
    for (let node = 1; node < this.rows; node++) {
      const start = this.start[node]!;
      const length = this.length[node]!;
      this.start[node] = used;
      for (let i = 0; i < length; i++) compact[used++] = this.arena[start + i]!;
    }
    this.arena = compact;
    this.arenaUsed = used;
    this.arenaGarbage = 0;
  }
}
