import { grown } from "./grown.js";
import { PairTable } from "./pair-table.js";

/** The node above all others; its edge is empty. */
export const ROOT = 0;

/** What is kept of each node, side by side. */
const ROW = 4;
/** Where its edge begins in the arena, and how many symbols it has. */
const START = 0;
const LENGTH = 1;
/** Node above; for free rows the next free row. */
const PARENT = 2;
const FIRST_SYMBOL = 3;

/**
 * The nodes of a radix tree over integer symbols. Nodes are rows of one typed array and their edges slices of an
 * arena, so that splitting an edge copies nothing and a step down costs one probe.
 */
export class PrefixNodes {
  /** (node above, first symbol of the edge) -> node. */
  private readonly edges = new PairTable();
  private nodes = new Int32Array(32 * ROW);
  private rows = 1;
  private freeRow = -1;
  private arena = new Int32Array(256);
  private arenaUsed = 0;
  private arenaGarbage = 0;

  /** The node on whose edge the last `match` ended. */
  matched = ROOT;

  constructor() {
    this.nodes[ROOT * ROW + PARENT] = -1;
  }

  /** The child of `node` whose edge begins with `symbol`, or -1. */
  child(node: number, symbol: number): number {
    return this.edges.find(node, symbol);
  }

  /** The node above. */
  parent(node: number): number {
    return this.nodes[node * ROW + PARENT]!;
  }

  /** Symbols of the node's edge. */
  length(node: number): number {
    return this.nodes[node * ROW + LENGTH]!;
  }

  /** How many symbols of the key from `at` on lie on the edge of `node`, which was found by the first of them. */
  shared(node: number, symbols: Int32Array, at: number, end: number): number {
    const { arena, nodes } = this;
    const start = nodes[node * ROW + START]!;
    const most = Math.min(nodes[node * ROW + LENGTH]!, end - at);
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
      if (shared < this.length(child)) break;
    }
    this.matched = node;
    return at;
  }

  /** A new node below `above` whose edge is `symbols[from, to)`. */
  addLeaf(above: number, symbols: Int32Array, from: number, to: number): number {
    this.reserve(to - from);
    const { arena, arenaUsed: start } = this;
    for (let i = from; i < to; i++) arena[start + i - from] = symbols[i]!;
    this.arenaUsed = start + to - from;
    const node = this.newRow(above, start, to - from);
    this.hang(node, above);
    return node;
  }

  /** Cuts the edge of `node` after `shared` symbols and returns the new node that ends there, above it. */
  split(node: number, shared: number): number {
    const above = this.parent(node);
    const start = this.nodes[node * ROW + START]!;
    const length = this.length(node);
    const upper = this.newRow(above, start, shared);
    this.unhang(node);
    this.hang(upper, above);
    const { nodes } = this;
    nodes[node * ROW + START] = start + shared;
    nodes[node * ROW + LENGTH] = length - shared;
    this.hang(node, upper);
    return upper;
  }

  /** Removes a node that has no children. */
  remove(node: number): void {
    this.unhang(node);
    this.arenaGarbage += this.length(node);
    this.nodes[node * ROW + LENGTH] = 0;
    this.nodes[node * ROW + PARENT] = this.freeRow;
    this.freeRow = node;
  }

  /** Puts a node below another. */
  private hang(node: number, above: number): void {
    const { nodes } = this;
    const symbol = this.arena[nodes[node * ROW + START]!]!;
    nodes[node * ROW + PARENT] = above;
    nodes[node * ROW + FIRST_SYMBOL] = symbol;
    this.edges.add(above, symbol, node);
  }

  private unhang(node: number): void {
    this.edges.remove(this.parent(node), this.nodes[node * ROW + FIRST_SYMBOL]!);
  }

  private newRow(above: number, start: number, length: number): number {
    let node = this.freeRow;
    if (node >= 0) {
      this.freeRow = this.parent(node);
    } else {
      node = this.rows++;
      if (node * ROW === this.nodes.length) this.nodes = grown(this.nodes, this.nodes.length + ROW);
    }
    this.nodes[node * ROW + START] = start;
    this.nodes[node * ROW + LENGTH] = length;
    this.nodes[node * ROW + PARENT] = above;
    return node;
  }

  /** Makes room for `count` symbols: by compaction when half of the arena is garbage, else by growing. */
  private reserve(count: number): void {
    if (this.arenaUsed + count <= this.arena.length) return;
    const wanted = 2 * (this.arenaUsed - this.arenaGarbage + count);
    const compact = new Int32Array(Math.max(wanted, this.arena.length));
    let used = 0;
    for (let node = 1; node < this.rows; node++) {
      const start = this.nodes[node * ROW + START]!;
      const length = this.length(node);
      this.nodes[node * ROW + START] = used;
      for (let i = 0; i < length; i++) compact[used++] = this.arena[start + i]!;
    }
    this.arena = compact;
    this.arenaUsed = used;
    this.arenaGarbage = 0;
  }
}
