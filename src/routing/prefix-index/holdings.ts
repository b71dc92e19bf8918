import { grown } from "./grown.js";

const NONE = -1;

/**
 * Which worker holds which node of a prefix tree, and in what order each worker last used its nodes.
 *
 * One record per (node, worker), in two linked lists: the holders of a node, and the worker's nodes from the
 * most to the least recently used.
 */
export class Holdings {
  private nodeOf = new Int32Array(64);
  private workerOf = new Int32Array(64);
  /** Next holder of the same node; next free record for free ones. */
  private nextHolder = new Int32Array(64);
  private newer = new Int32Array(64);
  private older = new Int32Array(64);
  private records = 0;
  private free = NONE;
  private firstHolder = new Int32Array(32).fill(NONE);
  private readonly newest: Int32Array;
  private readonly oldest: Int32Array;

  constructor(workers: number) {
    this.newest = new Int32Array(workers).fill(NONE);
    this.oldest = new Int32Array(workers).fill(NONE);
  }

  /** The node now exists and nobody holds it. */
  openNode(node: number): void {
    if (node >= this.firstHolder.length) this.firstHolder = grown(this.firstHolder, node + 1);
    this.firstHolder[node] = NONE;
  }

  isHeld(node: number): boolean {
    return this.firstHolder[node] !== NONE;
  }

  /** Walks the holders of a node: first record, or -1. */
  first(node: number): number {
    return this.firstHolder[node]!;
  }

  next(record: number): number {
    return this.nextHolder[record]!;
  }

  worker(record: number): number {
    return this.workerOf[record]!;
  }

  /** The record of `worker` on `node`, or -1. */
  find(node: number, worker: number): number {
    let record = this.firstHolder[node]!;
    while (record !== NONE && this.workerOf[record] !== worker) record = this.nextHolder[record]!;
    return record;
  }

  /** Makes `node` the worker's most recently used, as a new holding when it had none. @returns whether it is new. */
  use(node: number, worker: number): boolean {
    const known = this.find(node, worker);
    if (known === NONE) {
      this.link(this.record(node, worker), this.newest[worker]!);
    } else if (this.newest[worker] !== known) {
      this.unlink(known);
      this.link(known, this.newest[worker]!);
    }
    return known === NONE;
  }

  /** Every holder of `node` also holds `upper`, used as recently as `node` but outliving it. */
  splitAbove(upper: number, node: number): void {
    for (let record = this.firstHolder[node]!; record !== NONE; record = this.nextHolder[record]!) {
      this.link(this.record(upper, this.workerOf[record]!), record);
    }
  }

  /** The node that `worker` used least recently, or -1. */
  oldestNode(worker: number): number {
    const record = this.oldest[worker]!;
    return record === NONE ? NONE : this.nodeOf[record]!;
  }

  /** `worker` no longer holds `node`. */
  drop(node: number, worker: number): void {
    let before = NONE;
    let record = this.firstHolder[node]!;
    while (this.workerOf[record] !== worker) {
      before = record;
      record = this.nextHolder[record]!;
    }
    if (before === NONE) this.firstHolder[node] = this.nextHolder[record]!;
    else this.nextHolder[before] = this.nextHolder[record]!;
    this.unlink(record);
    this.nextHolder[record] = this.free;
    this.free = record;
  }

  private record(node: number, worker: number): number {
    let record = this.free;
    if (record === NONE) {
      record = this.records++;
      if (record === this.nodeOf.length) this.growRecords();
    } else {
      this.free = this.nextHolder[record]!;
    }
    this.nodeOf[record] = node;
    this.workerOf[record] = worker;
    this.nextHolder[record] = this.firstHolder[node]!;
    this.firstHolder[node] = record;
    return record;
  }

  private growRecords(): void {
    const size = this.nodeOf.length + 1;
    this.nodeOf = grown(this.nodeOf, size);
    this.workerOf = grown(this.workerOf, size);
    this.nextHolder = grown(this.nextHolder, size);
    this.newer = grown(this.newer, size);
    this.older = grown(this.older, size);
  }

  /** Puts a record in its worker's order, just newer than `after` (NONE: the worker has no other). */
  private link(record: number, after: number): void {
    const worker = this.workerOf[record]!;
    const newer = after === NONE ? NONE : this.newer[after]!;
    this.older[record] = after;
    this.newer[record] = newer;
    if (after === NONE) this.oldest[worker] = record;
    else this.newer[after] = record;
    if (newer === NONE) this.newest[worker] = record;
    else this.older[newer] = record;
  }

  private unlink(record: number): void {
    const worker = this.workerOf[record]!;
    const newer = this.newer[record]!;
    const older = this.older[record]!;
    if (newer === NONE) this.newest[worker] = older;
    else this.older[newer] = older;
    if (older === NONE) this.oldest[worker] = newer;
    else this.newer[older] = newer;
  }
}
