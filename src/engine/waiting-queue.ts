import { grownInts } from "./grow.js";
import type { RequestSlots } from "./request-slots.js";

/** A queue of waiting requests (slots). A slot is in at most one queue at a time. */
export interface WaitingQueue {
  readonly length: number;
  /** The slot served next; -1 if the queue is empty. */
  peek(): number;
  append(slot: number): void;
  /** Before all others under fcfs; a priority queue knows no front and inserts by key. */
  prepend(slot: number): void;
  remove(slot: number): void;
  /** The first slot in the order of service whose status is not `passed`, or -1. */
  firstOtherThan(passed: number): number;
  /** Slots in the order they would be served. */
  toArray(): number[];
}

/** First come, first served: a doubly linked list with a sentinel at index 0; slot s is node s + 1. */
export class FcfsQueue implements WaitingQueue {
  length = 0;
  private readonly slots: RequestSlots;
  private next = new Int32Array(64);
  private previous = new Int32Array(64);

  constructor(slots: RequestSlots) {
    this.slots = slots;
  }

  peek(): number {
    return this.next[0]! - 1;
  }

  append(slot: number): void {
    this.linkAfter(this.previous[0]!, slot + 1);
  }

  prepend(slot: number): void {
    this.linkAfter(0, slot + 1);
  }

  remove(slot: number): void {
    const before = this.previous[slot + 1]!;
    const after = this.next[slot + 1]!;
    this.next[before] = after;
    this.previous[after] = before;
    this.length--;
  }

  firstOtherThan(passed: number): number {
    const { status } = this.slots;
    let node = this.next[0]!;
    while (node !== 0 && status[node - 1] === passed) node = this.next[node]!;
    return node - 1;
  }

  toArray(): number[] {
    const slots = [];
    for (let node = this.next[0]!; node !== 0; node = this.next[node]!) slots.push(node - 1);
    return slots;
  }

  private linkAfter(before: number, node: number): void {
    while (node >= this.next.length) {
      this.next = grownInts(this.next);
      this.previous = grownInts(this.previous);
    }
    const after = this.next[before]!;
    this.next[before] = node;
    this.previous[node] = before;
    this.next[node] = after;
    this.previous[after] = node;
    this.length++;
  }
}

/**
 * Smallest (priority, arrival, id) first: a binary heap. Ids break ties, as request ids do in vLLM from v0.19.
 */
export class PriorityQueue implements WaitingQueue {
  private readonly heap: number[] = [];
  private readonly slots: RequestSlots;

  constructor(slots: RequestSlots) {
    this.slots = slots;
  }

  get length(): number {
    return this.heap.length;
  }

  peek(): number {
    return this.heap[0] ?? -1;
  }

  append(slot: number): void {
    this.heap.push(slot);
    this.siftUp(this.heap.length - 1);
  }

  prepend(slot: number): void {
    this.append(slot);
  }

  remove(slot: number): void {
    const at = this.heap.indexOf(slot);
    const last = this.heap.pop()!;
    if (last === slot) return;
    this.heap[at] = last;
    this.siftUp(at);
    this.siftDown(at);
  }

  firstOtherThan(passed: number): number {
    const { heap, slots } = this;
    let found = -1;
    for (const slot of heap) {
      if (slots.status[slot] === passed) continue;
      if (found < 0 || servedBefore(slots, slot, found)) found = slot;
    }
    return found;
  }

  toArray(): number[] {
    return [...this.heap].sort((a, b) => (servedBefore(this.slots, a, b) ? -1 : 1));
  }

  private siftUp(start: number): void {
    const { heap, slots } = this;
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!servedBefore(slots, heap[at]!, heap[parent]!)) return;
      swap(heap, at, parent);
      at = parent;
    }
  }

  private siftDown(start: number): void {
    const { heap, slots } = this;
    let at = start;
    while (true) {
      let child = at * 2 + 1;
      if (child >= heap.length) return;
      if (child + 1 < heap.length && servedBefore(slots, heap[child + 1]!, heap[child]!)) child++;
      if (!servedBefore(slots, heap[child]!, heap[at]!)) return;
      swap(heap, at, child);
      at = child;
    }
  }
}

/** Whether request `a` is served before `b` under the priority policy. */
export function servedBefore(slots: RequestSlots, a: number, b: number): boolean {
  const { priority, arrivalMs, id } = slots;
  if (priority[a] !== priority[b]) return priority[a]! < priority[b]!;
  if (arrivalMs[a] !== arrivalMs[b]) return arrivalMs[a]! < arrivalMs[b]!;
  return id[a]! < id[b]!;
}

function swap(heap: number[], a: number, b: number): void {
  const kept = heap[a]!;
  heap[a] = heap[b]!;
  heap[b] = kept;
}
