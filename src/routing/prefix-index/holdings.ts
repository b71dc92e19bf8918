import { grown } from "./grown.js";
import { PairTable } from "./pair-table.js";

const NONE = -1;

/**
 * Which worker holds which node of a prefix tree: one record per (node, worker), in two linked lists, the
 * holders of a node and the nodes of a worker from the newest to the oldest.
 */
export class Holdings {
  private readonly records = new PairTable();
  private recordCount = 0;
  /** Next holder of the same node; next free record for free ones. */
  private nextHolder = new Int32Array(64);
  private previousHolder = new Int32Array(64);
  private newer = new Int32Array(64);
  private older = new Int32Array(64);
  private free = NONE;
  private firstHolder = new Int32Array(32);
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

  /** A record of the node, to go on from with `next`, or -1. */
  first(node: number): number {
    return this.firstHolder[node]!;
  }

  /** The next record of the same node, or -1. */
  next(record: number): number {
    return this.nextHolder[record]!;
  }

  node(record: number): number {
    return this.records.first(record);
  }

  worker(record: number): number {
    return this.records.second(record);
  }

  /** The record of `worker` on `node`, or -1. */
  find(node: number, worker: number): number {
    return this.records.find(node, worker);
  }

  /** The worker's oldest record, or -1. */
  oldestOf(worker: number): number {
    return this.oldest[worker]!;
  }

  /** The worker's next newer record, or -1. */
  newerThan(record: number): number {
    return this.newer[record]!;
  }

  /** A new record of `worker` on `node`, as the worker's newest, or just newer than `after`. */
  add(node: number, worker: number, after: number = this.newest[worker]!): number {
    let record = this.free;
    if (record === NONE) {
      record = this.recordCount++;
      if (record === this.newer.length) this.growRecords();
    } else {
      this.free = this.nextHolder[record]!;
    }
    this.records.add(node, worker, record);
    const next = this.firstHolder[node]!;
    this.nextHolder[record] = next;
    this.previousHolder[record] = NONE;
    if (next !== NONE) this.previousHolder[next] = record;
    this.firstHolder[node] = record;
    this.link(record, worker, after);
    return record;
  }

  /** The record becomes its worker's newest. */
  renew(record: number): void {
    const worker = this.worker(record);
    if (this.newest[worker] === record) return;
    this.unlink(record, worker);
    this.link(record, worker, this.newest[worker]!);
  }

  drop(record: number): void {
    const next = this.nextHolder[record]!;
    const previous = this.previousHolder[record]!;
    if (previous === NONE) this.firstHolder[this.node(record)] = next;
    else this.nextHolder[previous] = next;
    if (next !== NONE) this.previousHolder[next] = previous;
    this.unlink(record, this.worker(record));
    this.records.remove(record);
    this.nextHolder[record] = this.free;
    this.free = record;
  }

  private growRecords(): void {
    const size = this.newer.length + 1;
    this.nextHolder = grown(this.nextHolder, size);
    this.previousHolder = grown(this.previousHolder, size);
    this.newer = grown(this.newer, size);
    this.older = grown(this.older, size);
  }

  /** Puts a record in its worker's order, just newer than `after` (NONE: the worker has no other). */
  private link(record: number, worker: number, after: number): void {
    const newer = after === NONE ? NONE : this.newer[after]!;
    this.older[record] = after;
    this.newer[record] = newer;
    if (after === NONE) this.oldest[worker] = record;
    else this.newer[after] = record;
    if (newer === NONE) this.newest[worker] = record;
    else this.older[newer] = record;
  }

  private unlink(record: number, worker: number): void {
    const newer = this.newer[record]!;
    const older = this.older[record]!;
    if (newer === NONE) this.newest[worker] = older;
    else this.older[newer] = older;
    if (older === NONE) this.oldest[worker] = newer;
    else this.newer[older] = newer;
  }
}
