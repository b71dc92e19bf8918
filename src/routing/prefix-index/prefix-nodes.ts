import { grown } from "./grown.js";
import { PairTable } from "./pair-table.js";
import { SymbolRuns } from "./symbol-runs.js";

/** The node above all others; its edge is empty. */
export const ROOT = 0;

const NONE = -1;

/** What is kept of each node, side by side: half a cache line. */
const ROW = 8;
/** Its edge: the run it begins with, how many symbols of that run come before it, and how many symbols it has. */
const RUN = 0;
const SKIP = 1;
const LENGTH = 2;
const FIRST_SYMBOL = 3;
/** Node above; for free rows the next free row. */
const PARENT = 4;
/** One of the nodes below, or NONE. */
const CHILD = 5;
/** How many others are below. */
const OTHERS = 6;

/**
 * The nodes of a radix tree over integer symbols, as rows of one typed array. Most nodes of a conversation have one
 * below them: a step down to it looks at its row alone, and a step to another probes a table once. Splitting an edge
 * copies nothing.
 */
export class PrefixNodes {
  /** (node above, first symbol of the edge) -> node, for all but the `CHILD` of a node. */
  private readonly others = new PairTable();
  private nodes = new Int32Array(32 * ROW);
  private rows = 1;
  private freeRow = NONE;
  private runs = new SymbolRuns();

  /** The node on whose edge the last `match` ended. */
  matched = ROOT;

  constructor() {
    this.nodes[ROOT * ROW + PARENT] = NONE;
    this.nodes[ROOT * ROW + CHILD] = NONE;
  }

  /** The child of `node` whose edge begins with `symbol`, or -1. */
  child(node: number, symbol: number): number {
    const { nodes } = this;
    const child = nodes[node * ROW + CHILD]!;
    if (child !== NONE && nodes[child * ROW + FIRST_SYMBOL] === symbol) return child;
    return nodes[node * ROW + OTHERS] === 0 ? NONE : this.others.find(node, symbol);
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
    const { nodes } = this;
    const row = node * ROW;
    const most = Math.min(nodes[row + LENGTH]!, end - at);
    return this.runs.shared(nodes[row + RUN]!, nodes[row + SKIP]!, symbols, at, most);
  }

  /** Symbols from the start of the key that lie on edges; `matched` is then the last node they reach into. */
  match(symbols: Int32Array, length: number): number {
    let node = ROOT;
    let at = 0;
    while (at < length) {
      const child = this.child(node, symbols[at]!);
      if (child < 0) break;
      const shared = this.shared(child, symbols, at, length);
      at += shared;
      node = child;
      if (shared < this.length(child)) break;
    }
    this.matched = node;
    return at;
  }

  /** A new node below `above` whose edge is `symbols[from, to)`, of which nothing is below it yet. */
  addLeaf(above: number, symbols: Int32Array, from: number, to: number): number {
    if (!this.runs.fits(to - from)) this.makeRoom(to - from);
    const node = this.newRow(this.runs.append(symbols, from, to), 0, to - from);
    this.hang(node, above);
    return node;
  }

  /** Cuts the edge of `node` after `shared` symbols and returns the new node that ends there, above it. */
  split(node: number, shared: number): number {
    const { runs } = this;
    const row = node * ROW;
    const run = this.nodes[row + RUN]!;
    const skip = this.nodes[row + SKIP]!;
    const upper = this.newRow(run, skip, shared);
    const { nodes } = this;
    this.unhang(node);
    this.hang(upper, nodes[row + PARENT]!);
    nodes[row + RUN] = runs.runAfter(run, skip + shared);
    nodes[row + SKIP] = runs.passedIn;
    nodes[row + LENGTH]! -= shared;
    nodes[row + FIRST_SYMBOL] = runs.symbol(nodes[row + RUN]!, nodes[row + SKIP]!);
    this.hang(node, upper);
    return upper;
  }

  /** Removes a node that has no children. */
  remove(node: number): void {
    this.unhang(node);
    this.nodes[node * ROW + LENGTH] = 0;
    this.nodes[node * ROW + PARENT] = this.freeRow;
    this.freeRow = node;
  }

  /** Puts a node below another. */
  private hang(node: number, above: number): void {
    const { nodes } = this;
    nodes[node * ROW + PARENT] = above;
    if (nodes[above * ROW + CHILD] === NONE) {
      nodes[above * ROW + CHILD] = node;
    } else {
      nodes[above * ROW + OTHERS]!++;
      this.others.add(above, nodes[node * ROW + FIRST_SYMBOL]!, node);
    }
  }

  private unhang(node: number): void {
    const { nodes } = this;
    const above = nodes[node * ROW + PARENT]!;
    if (nodes[above * ROW + CHILD] === node) {
      nodes[above * ROW + CHILD] = NONE;
    } else {
      nodes[above * ROW + OTHERS]!--;
      this.others.remove(above, nodes[node * ROW + FIRST_SYMBOL]!);
    }
  }

  private newRow(run: number, skip: number, length: number): number {
    let node = this.freeRow;
    if (node !== NONE) {
      this.freeRow = this.parent(node);
    } else {
      node = this.rows++;
      if (node * ROW === this.nodes.length) this.nodes = grown(this.nodes, this.nodes.length + ROW);
    }
    const { nodes } = this;
    const row = node * ROW;
    nodes[row + RUN] = run;
    nodes[row + SKIP] = skip;
    nodes[row + LENGTH] = length;
    nodes[row + FIRST_SYMBOL] = this.runs.symbol(run, skip);
    nodes[row + CHILD] = NONE;
    nodes[row + OTHERS] = 0;
    return node;
  }

  /** Makes room for edges of `count` more symbols: keeps the runs that nodes have, in twice the room they need. */
  private makeRoom(count: number): void {
    const { nodes, runs } = this;
    let needed = count;
    for (let row = ROW; row < this.rows * ROW; row += ROW) {
      needed += runs.countOf(nodes[row + RUN]!, nodes[row + SKIP]!, nodes[row + LENGTH]!);
    }
    const kept = SymbolRuns.withRoom(Math.max(2 * needed, runs.room));
    for (let row = ROW; row < this.rows * ROW; row += ROW) {
      nodes[row + RUN] = kept.appendOf(runs, nodes[row + RUN]!, nodes[row + SKIP]!, nodes[row + LENGTH]!);
      nodes[row + SKIP] = 0;
    }
    this.runs = kept;
  }
}
