interface Node {
  /** Edge from the node above. */
  symbols: Int32Array;
  children: Map<number, Node>;
  /** Time of last use by each worker that holds the node; inner nodes are created with 0. */
  owners: Map<number, number>;
  /** The worker that `match` answers with while it still owns the node, or -1. */
  lastOwner: number;
  parent: Node | null;
}

/**
 * The approximate tree of vllm-router and SMG (`tree.rs`), with its habits: a match names one worker, the one
 * that first stored the node, however many hold it since; only the end node of an insertion gets a fresh
 * time; the size is bounded only when `evict` is called. Where the product's answer depends on the order of
 * a hash map, the first worker to have stored the node is taken.
 *
 * Source: vllm-router 0.1.14 `src/tree.rs` (1dbe5075); SMG's is the same.
 */
export class FirstOwnerTree {
  private readonly root: Node = leaf(new Int32Array(0), null);
  private readonly counts = new Map<number, number>();
  private epoch = 0;

  /** The worker that owns what the last `match` found, or -1. */
  matchedOwner = -1;

  /** Symbols that a worker holds. */
  size(worker: number): number {
    return this.counts.get(worker) ?? 0;
  }

  /** Symbols from the start of the key that the tree knows; `matchedOwner` is then who is said to hold them. */
  match(symbols: Int32Array, length: number): number {
    let node = this.root;
    let at = 0;
    while (at < length) {
      const child = node.children.get(symbols[at]!);
      if (child === undefined) break;
      const shared = sharedSymbols(child.symbols, symbols, at, length);
      at += shared;
      node = child;
      if (shared < child.symbols.length) break;
    }
    if (!node.owners.has(node.lastOwner)) node.lastOwner = node.owners.keys().next().value ?? -1;
    this.matchedOwner = node.lastOwner;
    const epoch = this.epoch++;
    if ((epoch & 7) === 0 && node.lastOwner >= 0) node.owners.set(node.lastOwner, epoch);
    return at;
  }

  insert(symbols: Int32Array, length: number, worker: number): void {
    this.addOwner(this.root, worker);
    let node = this.root;
    let at = 0;
    while (at < length) {
      const child = node.children.get(symbols[at]!);
      if (child === undefined) {
        this.addLeaf(node, symbols.slice(at, length), worker);
        return;
      }
      const shared = sharedSymbols(child.symbols, symbols, at, length);
      node = shared < child.symbols.length ? split(child, shared) : child;
      this.addOwner(node, worker);
      at += shared;
    }
    node.owners.set(worker, this.epoch++);
  }

  /** Brings every worker down to `limit` symbols, oldest leaf first. */
  evict(limit: number): void {
    for (const [worker, count] of this.counts) if (count > limit) this.evictWorker(worker, limit);
  }

  /** Forgets everything a worker holds. */
  removeWorker(worker: number): void {
    for (const node of this.leavesOf(worker)) {
      let current: Node | null = node;
      while (current !== null && !hasChildOf(current, worker)) current = this.release(current, worker);
    }
    this.counts.delete(worker);
  }

  private evictWorker(worker: number, limit: number): void {
    const ageOf = (node: Node): number => -node.owners.get(worker)!;
    // Newest first, so that the oldest is popped from the end.
    const leaves = this.leavesOf(worker).sort((a, b) => ageOf(a) - ageOf(b));
    while (this.size(worker) > limit) {
      const oldest = leaves.pop();
      if (oldest === undefined) return;
      const above = this.release(oldest, worker);
      if (above === null || above === this.root || hasChildOf(above, worker)) continue;
      const place = leaves.findLastIndex((other) => ageOf(other) <= ageOf(above));
      leaves.splice(place + 1, 0, above);
    }
  }

  /** The worker no longer owns the node; a node without owners and children goes. @returns the node above. */
  private release(node: Node, worker: number): Node | null {
    const above = node.parent;
    node.owners.delete(worker);
    this.counts.set(worker, this.size(worker) - node.symbols.length);
    if (above !== null && node.owners.size === 0 && node.children.size === 0) {
      above.children.delete(node.symbols[0]!);
    }
    return above;
  }

  private addOwner(node: Node, worker: number): void {
    if (node.owners.has(worker)) return;
    node.owners.set(worker, 0);
    this.counts.set(worker, this.size(worker) + node.symbols.length);
  }

  private addLeaf(parent: Node, symbols: Int32Array, worker: number): void {
    const node = leaf(symbols, parent);
    node.owners.set(worker, this.epoch++);
    node.lastOwner = worker;
    parent.children.set(symbols[0]!, node);
    this.counts.set(worker, this.size(worker) + symbols.length);
  }

  /** Nodes a worker owns none of whose children it owns. */
  private leavesOf(worker: number): Node[] {
    const leaves: Node[] = [];
    const open = [this.root];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (!hasChildOf(node, worker) && node !== this.root && node.owners.has(worker)) leaves.push(node);
      for (const child of node.children.values()) if (child.owners.has(worker)) open.push(child);
    }
    return leaves;
  }
}

function leaf(symbols: Int32Array, parent: Node | null): Node {
  return { symbols, children: new Map(), owners: new Map(), lastOwner: -1, parent };
}

/** Cuts the edge of `node` after `shared` symbols and returns the new node that ends there. */
function split(node: Node, shared: number): Node {
  const upper = leaf(node.symbols.subarray(0, shared), node.parent);
  upper.owners = new Map(node.owners);
  upper.lastOwner = node.lastOwner;
  upper.children.set(node.symbols[shared]!, node);
  node.parent!.children.set(upper.symbols[0]!, upper);
  node.symbols = node.symbols.subarray(shared);
  node.parent = upper;
  return upper;
}

function hasChildOf(node: Node, worker: number): boolean {
  for (const child of node.children.values()) if (child.owners.has(worker)) return true;
  return false;
}

function sharedSymbols(edge: Int32Array, symbols: Int32Array, at: number, end: number): number {
  const most = Math.min(edge.length, end - at);
  let shared = 1;
  while (shared < most && edge[shared] === symbols[at + shared]) shared++;
  return shared;
}
