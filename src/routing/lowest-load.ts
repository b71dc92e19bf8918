import type { ChangeLog } from "./change-log.js";
import { LoadTree } from "./load-tree.js";
import { Lowest, type Ties } from "./lowest.js";
import type { PolicyContext, TrackedLedger, Worker } from "./types.js";
import type { Random } from "../values/random.js";

/** A load by which a policy compares workers. */
export interface Load {
  /** Where changes of the load, or of `second`, are told. */
  changes(context: PolicyContext): readonly ChangeLog[];
  of(worker: Worker, ledger: TrackedLedger): number;
  /** Settles equal loads, lowest first, before ties are; absent = nothing does. */
  second?(worker: Worker, ledger: TrackedLedger): number;
}

/** Open requests by the ledger. */
export const OPEN_REQUESTS: Load = {
  changes: ({ ledger }) => [ledger.changes],
  of: ({ index }, ledger) => ledger.open(index),
};

/**
 * The least loaded of the candidates. Where those are all healthy workers their loads are kept in a tree from one
 * decision to the next; others are looked at one by one. Both give the same to the last draw.
 */
export class LowestLoad {
  private readonly fleetSize: number;
  private readonly load: Load;
  private readonly ties: Ties;
  private readonly scan: Lowest;
  private tree: LoadTree | null = null;
  private isWhole = false;

  /** The lowest load, the highest, at least 0, and the sum, of the candidates that were last looked at. */
  lowest = Infinity;
  highest = 0;
  sum = 0;
  /** Sum of the squares of the loads. */
  squares = 0;

  constructor(fleetSize: number, ties: Ties, load: Load = OPEN_REQUESTS) {
    this.fleetSize = fleetSize;
    this.load = load;
    this.ties = ties;
    this.scan = new Lowest(fleetSize, ties);
  }

  /** The worker last taken, or -1: where ties rotate, the next one follows it. */
  get last(): number {
    return this.scan.last;
  }

  set last(worker: number) {
    this.scan.last = worker;
  }

  /** Looks at the loads as they are now. */
  look(candidates: readonly Worker[], context: PolicyContext): void {
    this.isWhole = candidates === context.healthy;
    if (this.isWhole) this.lookAtTree(candidates, context);
    else this.lookAtEach(candidates, context);
  }

  /** The worker of lowest load among those that were last looked at. */
  take(random: Random): number {
    if (!this.isWhole) return this.scan.take(random);
    const tree = this.tree!;
    const worker = tree.nth(this.settle(tree, random));
    this.scan.last = worker;
    return worker;
  }

  private settle(tree: LoadTree, random: Random): number {
    const { tied } = tree;
    if (tied === 1 || this.ties === "first") return 0;
    if (this.ties === "random") return random.nextInt(tied);
    return tree.countUpTo(this.scan.last) % tied;
  }

  private lookAtTree(candidates: readonly Worker[], context: PolicyContext): void {
    const tree = (this.tree ??= this.newTree(context));
    tree.update(candidates);
    this.lowest = tree.lowest;
    this.highest = Math.max(0, tree.highest);
    this.sum = tree.sum;
    this.squares = tree.squares;
  }

  private newTree(context: PolicyContext): LoadTree {
    const { load, fleetSize } = this;
    const { ledger } = context;
    return new LoadTree(fleetSize, {
      changes: load.changes(context),
      load: (worker) => load.of(worker, ledger),
      second: (worker) => load.second?.(worker, ledger) ?? 0,
    });
  }

  private lookAtEach(candidates: readonly Worker[], { ledger }: PolicyContext): void {
    const { load, scan } = this;
    scan.reset();
    let highest = 0;
    let sum = 0;
    let squares = 0;
    for (const worker of candidates) {
      const value = load.of(worker, ledger);
      if (value > highest) highest = value;
      sum += value;
      squares += value * value;
      scan.offer(worker.index, value, load.second?.(worker, ledger) ?? 0);
    }
    this.lowest = scan.value;
    this.highest = highest;
    this.sum = sum;
    this.squares = squares;
  }
}
