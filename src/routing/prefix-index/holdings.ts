import { grown } from "./grown.js";
import { PairTable } from "./pair-table.js";

const NONE = -1;

/** What is kept of each record, side by side: a record is half a cache line, wherever it is. */
const RECORD = 8;
/** Next and previous holder of the same node; of a free record the next free one. */
const NEXT = 0;
const PREVIOUS = 1;
/** Neighbours among the records of the same worker. */
const NEWER = 2;
const OLDER = 3;
const NODE = 4;
const WORKER = 5;

/** A node's holders are found by going through them while they are no more than this. */
const FEW = 4;

/** What is kept of each node: its first record, and how many it has. */
const HEAD = 2;
const HOLDERS = 1;

/**
 * Which worker holds which node of a prefix tree: one record per (node, worker), in two linked lists, the
 * holders of a node and the nodes of a worker from the newest to the oldest.
 */
export class Holdings {
  /** (node, worker) -> record, of nodes with many holders. */
  private readonly found = new PairTable();
  private records = new Int32Array(64 * RECORD);
  private recordCount = 0;
  private free = NONE;
  private heads = new Int32Array(32 * HEAD);
  private readonly newest: Int32Array;
  private readonly oldest: Int32Array;

  constructor(workers: number) {
    this.newest = new Int32Array(workers).fill(NONE);
    this.oldest = new Int32Array(workers).fill(NONE);
  }

  /** The node now exists and nobody holds it. */
  openNode(node: number): void {
    const at = node * HEAD;
    if (at >= this.heads.length) this.heads = grown(this.heads, at + HEAD);
    this.heads[at] = NONE;
    this.heads[at + HOLDERS] = 0;
  }

  isHeld(node: number): boolean {
    return this.heads[node * HEAD] !== NONE;
  }

  /** A record of the node, to go on from with `next`, or -1. */
  first(node: number): number {
    return this.heads[node * HEAD]!;
  }

  /** The next record of the same node, or -1. */
  next(record: number): number {
    return this.records[record * RECORD + NEXT]!;
  }

  node(record: number): number {
    return this.records[record * RECORD + NODE]!;
  }

  worker(record: number): number {
    return this.records[record * RECORD + WORKER]!;
  }

  /** The record of `worker` on `node`, or -1. */
  find(node: number, worker: number): number {
    if (this.heads[node * HEAD + HOLDERS]! > FEW) return this.found.find(node, worker);
    const { records } = this;
    let record = this.heads[node * HEAD]!;
    while (record !== NONE && records[record * RECORD + WORKER] !== worker) {
      record = records[record * RECORD + NEXT]!;
    }
    return record;
  }

  /** The worker's oldest record, or -1. */
  oldestOf(worker: number): number {
    return this.oldest[worker]!;
  }

  /** The worker's next newer record, or -1. */
  newerThan(record: number): number {
    return this.records[record * RECORD + NEWER]!;
  }

  /** A new record of `worker` on `node`, as the worker's newest, or just newer than `after`. */
  add(node: number, worker: number, after: number = this.newest[worker]!): number {
    const record = this.newRecord();
    const { records, heads } = this;
    const at = record * RECORD;
    const next = heads[node * HEAD]!;
    records[at + NEXT] = next;
    records[at + PREVIOUS] = NONE;
    records[at + NODE] = node;
    records[at + WORKER] = worker;
    if (next !== NONE) records[next * RECORD + PREVIOUS] = record;
    heads[node * HEAD] = record;
    const holders = ++heads[node * HEAD + HOLDERS]!;
    if (holders === FEW + 1) this.enterAll(node);
    else if (holders > FEW) this.found.add(node, worker, record);
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
    const { records } = this;
    const at = record * RECORD;
    const node = records[at + NODE]!;
    const worker = records[at + WORKER]!;
    const next = records[at + NEXT]!;
    const previous = records[at + PREVIOUS]!;
    if (previous === NONE) this.heads[node * HEAD] = next;
    else records[previous * RECORD + NEXT] = next;
    if (next !== NONE) records[next * RECORD + PREVIOUS] = previous;
    this.unlink(record, worker);
    const holders = this.heads[node * HEAD + HOLDERS]!--;
    if (holders > FEW) this.found.remove(node, worker);
    if (holders === FEW + 1) this.leaveAll(node);
    records[at + NEXT] = this.free;
    this.free = record;
  }

  /** A node has become one with many holders: its records go into the table. */
  private enterAll(node: number): void {
    for (let record = this.first(node); record !== NONE; record = this.next(record)) {
      this.found.add(node, this.worker(record), record);
    }
  }

  /** A node is no longer one with many holders. */
  private leaveAll(node: number): void {
    for (let record = this.first(node); record !== NONE; record = this.next(record)) {
      this.found.remove(node, this.worker(record));
    }
  }

  private newRecord(): number {
    const record = this.free;
    if (record !== NONE) {
      this.free = this.records[record * RECORD + NEXT]!;
      return record;
    }
    if (this.recordCount * RECORD === this.records.length) {
      this.records = grown(this.records, this.records.length + RECORD);
    }
    return this.recordCount++;
  }

  /** Puts a record in its worker's order, just newer than `after` (NONE: the worker has no other). */
  private link(record: number, worker: number, after: number): void {
    const { records } = this;
    const newer = after === NONE ? NONE : records[after * RECORD + NEWER]!;
    records[record * RECORD + OLDER] = after;
    records[record * RECORD + NEWER] = newer;
    if (after === NONE) this.oldest[worker] = record;
    else records[after * RECORD + NEWER] = record;
    if (newer === NONE) this.newest[worker] = record;
    else records[newer * RECORD + OLDER] = record;
  }

  private unlink(record: number, worker: number): void {
    const { records } = this;
    const newer = records[record * RECORD + NEWER]!;
    const older = records[record * RECORD + OLDER]!;
    if (newer === NONE) this.newest[worker] = older;
    else records[newer * RECORD + OLDER] = older;
    if (older === NONE) this.oldest[worker] = newer;
    else records[older * RECORD + NEWER] = newer;
  }
}
