import { grown } from "./grown.js";
import { PairTable } from "./pair-table.js";

/** The node above all others; its edge is empty. */
export const ROOT = 0;

/**
 * The nodes of a radix tree over integer symbols. Nodes are rows of typed arrays and their edges slices of one
 * arena, so that splitting an edge copies nothing and a step down costs one probe.
 */
export class PrefixNodes {
  /** (node above, first symbol of the edge) -> node. */
  private readonly edges = new PairTable();
  private start = new Int32Array(32);
  private lengths = new Int32Array(32);
  /** Node above; for free rows the next free row. */
  private parents = new Int32Array(32).fill(-1);
  private rows = 1;
  private freeRow = -1;
  private arena = new Int32Array(256);
  private arenaUsed = 0;
  private arenaGarbage = 0;

  /** The node on whose edge the last `match` ended. */
  matched = ROOT;

  /** The child of `node` whose edge begins with `symbol`, or -1. */
  child(node: number, symbol: number): number {
    return this.edges.find(node, symbol);
  }

  /** The node above. */
  parent(node: number): number {
    return this.parents[node]!;
  }

  /** Symbols of the node's edge. */
  length(node: number): number {
    return this.lengths[node]!;
  }

  /** How many symbols of the key from `at` on lie on the edge of `node`, which was found by the first of them. */
  shared(node: number, symbols: Int32Array, at: number, end: number): number {
    const { arena } = this;
    const start = this.start[node]!;
    const most = Math.min(this.lengths[node]!, end - at);
    let shared = 1;
    while (shared < most && arena[start + shared] === symbols[at + shared]) shared++;
    return shared;
  }

  /** Symbols from the start of the key that lie on edges; `matched` is then the last node they reach into. */
  match(symbols: Int32Array, length: number): number {
    let node = ROOT;
    let at = 0;
    while (at < length) {
      const child = this.edges.find(node, symbols[at]!);
      if (child < 0) break;
      const shared = this.shared(child, symbols, at, length);
      at += shared;
      node = child;
      if (shared < this.lengths[child]!) break;
    }
    this.matched = node;
    return at;
  }

  /** A new node below `above` whose edge is `symbols[from, to)`. */
  addLeaf(above: number, symbols: Int32Array, from: number, to: number): number {
    this.reserve(to - from);
    const node = this.newRow(above, this.arenaUsed, to - from);
    for (let i = from; i < to; i++) this.arena[this.arenaUsed++] = symbols[i]!;
    this.edges.add(above, symbols[from]!, node);
    return node;
  }

  /** Cuts the edge of `node` after `shared` symbols and returns the new node that ends there, above it. */
  split(node: number, shared: number): number {
    const above = this.parents[node]!;
    const start = this.start[node]!;
    const upper = this.newRow(above, start, shared);
    this.edges.remove(node);
    this.edges.add(above, this.arena[start]!, upper);
    this.start[node] = start + shared;
    this.lengths[node]! -= shared;
    this.parents[node] = upper;
    this.edges.add(upper, this.arena[start + shared]!, node);
    return upper;
  }

  /** Removes a node that has no children. */
  remove(node: number): void {
    this.edges.remove(node);
    this.arenaGarbage += this.lengths[node]!;
    this.lengths[node] = 0;
    this.parents[node] = this.freeRow;
    this.freeRow = node;
  }

  private newRow(above: number, start: number, length: number): number {
    let node = this.freeRow;
    if (node >= 0) {
      this.freeRow = this.parents[node]!;
    } else {
      node = this.rows++;
      if (node === this.parents.length) {
        this.start = grown(this.start, node + 1);
        this.lengths = grown(this.lengths, node + 1);
        this.parents = grown(this.parents, node + 1);
      }
    }
    this.start[node] = start;
    this.lengths[node] = length;
    this.parents[node] = above;
    return node;
  }

  /** Makes room for `count` symbols: by compaction when half of the arena is garbage, else by growing. */
  private reserve(count: number): void {
    if (this.arenaUsed + count <= this.arena.length) return;
    const wanted = 2 * (this.arenaUsed - this.arenaGarbage + count);
    const compact = new Int32Array(Math.max(wanted, this.arena.length));
    let used = 0;
    for (let node = 1; node < this.rows; node++) {
      const start = this.start[node]!;
      const length = this.lengths[node]!;
      this.start[node] = used;
      for (let i = 0; i < length; i++) compact[used++] = this.arena[start + i]!;
    }
    this.arena = compact;
    this.arenaUsed = used;
    this.arenaGarbage = 0;
  }
}
