import { BlockContent } from "./block-content.js";
import { grownBytes, grownFloats, grownInts } from "./grow.js";
import { emptyBlockTable, type BlockTable } from "./kv-blocks.js";
import type { LegRequest } from "./types.js";

/** Where a request stands. Values below `HELD` are unfinished requests. */
export const STATUS = {
  waiting: 0,
  running: 1,
  /** In the waiting queue, with output. */
  preempted: 2,
  /** vLLM's WAITING_FOR_REMOTE_KVS. */
  loading: 3,
  /** Its KV has arrived; admitted at the next chance. */
  loaded: 4,
  /** Finished; the reader of its KV has not reported yet. */
  held: 5,
  /** Aborted during its load; the blocks go when the load has ended. */
  draining: 6,
  free: 7,
} as const;

export const ROLE = { local: 0, remote_decode: 1, remote_prefill: 2 } as const;

/**
 * All requests of an engine, as columns. A request has a slot from `submit` until its blocks are given back;
 * slots are reused, and `serial` tells one tenant of a slot from the next.
 */
export class RequestSlots {
  id: Float64Array;
  serial: Int32Array;
  promptTokens: Int32Array;
  maxTokens: Int32Array;
  /** Prompt and outputs so far. */
  knownTokens: Int32Array;
  /** Tokens whose KV exists or is being computed in a step under way. */
  computedTokens: Int32Array;
  /** Async scheduling: tokens of steps under way. */
  placeholders: Int32Array;
  priority: Float64Array;
  arrivalMs: Float64Array;
  status: Uint8Array;
  role: Uint8Array;
  /** 1 while a remote prefill has not been asked for yet (`do_remote_prefill`). */
  loadPending: Uint8Array;
  preemptions: Int32Array;
  /** Prefix tokens found here at the first admission, -1 before. */
  cachedTokens: Int32Array;
  /** 1 once it has been scheduled. */
  wasScheduled: Uint8Array;
  lastTokenMs: Float64Array;
  /** Number of the last schedule that gave it tokens. */
  scheduledAt: Float64Array;
  readonly table: BlockTable[] = [];
  readonly content: BlockContent[] = [];
  private capacity = 64;
  private used = 0;
  private readonly freeSlots: number[] = [];

  constructor() {
    const n = this.capacity;
    this.id = new Float64Array(n);
    this.serial = new Int32Array(n);
    this.promptTokens = new Int32Array(n);
    this.maxTokens = new Int32Array(n);
    this.knownTokens = new Int32Array(n);
    this.computedTokens = new Int32Array(n);
    this.placeholders = new Int32Array(n);
    this.priority = new Float64Array(n);
    this.arrivalMs = new Float64Array(n);
    this.status = new Uint8Array(n);
    this.role = new Uint8Array(n);
    this.loadPending = new Uint8Array(n);
    this.preemptions = new Int32Array(n);
    this.cachedTokens = new Int32Array(n);
    this.wasScheduled = new Uint8Array(n);
    this.lastTokenMs = new Float64Array(n);
    this.scheduledAt = new Float64Array(n);
  }

  /** Gives a request a slot; its block content is for the caller to assign. */
  open(request: LegRequest, nowMs: number): number {
    const slot = this.freeSlots.pop() ?? this.newSlot();
    this.id[slot] = request.id;
    this.promptTokens[slot] = request.promptTokens;
    this.maxTokens[slot] = request.outputTokens;
    this.knownTokens[slot] = request.promptTokens;
    this.computedTokens[slot] = 0;
    this.placeholders[slot] = 0;
    this.priority[slot] = request.priority;
    this.arrivalMs[slot] = nowMs;
    this.status[slot] = STATUS.waiting;
    this.role[slot] = ROLE[request.kvRole];
    this.loadPending[slot] = request.kvRole === "remote_prefill" ? 1 : 0;
    this.preemptions[slot] = 0;
    this.cachedTokens[slot] = -1;
    this.wasScheduled[slot] = 0;
    this.lastTokenMs[slot] = NaN;
    this.scheduledAt[slot] = -1;
    return slot;
  }

  close(slot: number): void {
    this.status[slot] = STATUS.free;
    this.serial[slot]!++;
    this.freeSlots.push(slot);
  }

  private newSlot(): number {
    if (this.used === this.capacity) this.grow();
    this.table.push(emptyBlockTable());
    this.content.push(new BlockContent());
    return this.used++;
  }

  private grow(): void {
    this.capacity *= 2;
    this.id = grownFloats(this.id);
    this.serial = grownInts(this.serial);
    this.promptTokens = grownInts(this.promptTokens);
    this.maxTokens = grownInts(this.maxTokens);
    this.knownTokens = grownInts(this.knownTokens);
    this.computedTokens = grownInts(this.computedTokens);
    this.placeholders = grownInts(this.placeholders);
    this.priority = grownFloats(this.priority);
    this.arrivalMs = grownFloats(this.arrivalMs);
    this.status = grownBytes(this.status);
    this.role = grownBytes(this.role);
    this.loadPending = grownBytes(this.loadPending);
    this.preemptions = grownInts(this.preemptions);
    this.cachedTokens = grownInts(this.cachedTokens);
    this.wasScheduled = grownBytes(this.wasScheduled);
    this.lastTokenMs = grownFloats(this.lastTokenMs);
    this.scheduledAt = grownFloats(this.scheduledAt);
  }
}
