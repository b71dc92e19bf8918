import { IdTable } from "../values/id-table.js";
import { NumberList } from "../values/number-list.js";
import type { KvBlocks } from "./kv-blocks.js";
import { RequestSlots, STATUS } from "./request-slots.js";
import type { StepRecorder } from "./step-recorder.js";
import type { EngineConfig, EngineListener, EngineTotals, LegRequest } from "./types.js";
import { FcfsQueue, PriorityQueue, type WaitingQueue } from "./waiting-queue.js";

/**
 * All state of vLLM's scheduler: requests, queues and KV blocks. The rules that change it are functions in
 * scheduler.ts, admission.ts, step-outputs.ts and request-end.ts; time comes to them as an argument.
 */
export class EngineState {
  readonly config: EngineConfig;
  readonly listener: EngineListener;
  readonly recorder: StepRecorder | null;
  readonly slots = new RequestSlots();
  readonly kv: KvBlocks;

  /** Slots in admission order. */
  readonly running: Int32Array;
  runningCount = 0;
  readonly waiting: WaitingQueue;
  /** Since v0.19: requests that a schedule passed over (KV loads under way), tried before `waiting`. */
  readonly skippedWaiting: WaitingQueue;

  /** Scratch of the waiting loop: requests it has passed over. */
  readonly passedOver = new NumberList();

  /** Come in since the last step boundary. */
  readonly arrivals = new NumberList();
  readonly aborts = new NumberList();
  /** Ended transfers, by request id, not yet reported by the worker. */
  readonly received = new NumberList();
  readonly sent = new NumberList();

  /** A request has ended since the last schedule: vLLM then runs a step even if it is empty. */
  endedSinceSchedule = false;
  /** Ended requests whose blocks a transfer still needs. */
  heldForTransfer = 0;
  schedules = 0;
  preemptionsSinceToken = 0;
  readonly totals: EngineTotals = {
    steps: 0,
    busyMs: 0,
    preemptions: 0,
    maxRunning: 0,
    maxWaiting: 0,
    kvPeak: 0,
    promptTokens: 0,
    hitTokens: 0,
  };

  private readonly slotOf = new IdTable();
  private nextPrivateKey = 0;

  constructor(config: EngineConfig, kv: KvBlocks, listener: EngineListener, recorder: StepRecorder | null) {
    this.config = config;
    this.listener = listener;
    this.recorder = recorder;
    this.kv = kv;
    kv.listener = listener.kv ?? null;
    this.running = new Int32Array(config.maxNumSeqs);
    const priority = config.schedulingPolicy === "priority";
    this.waiting = priority ? new PriorityQueue(this.slots) : new FcfsQueue(this.slots);
    this.skippedWaiting = priority ? new PriorityQueue(this.slots) : new FcfsQueue(this.slots);
    recorder?.watch(this);
  }

  /** Takes a request in; it is seen at the next step boundary. */
  open(request: LegRequest, nowMs: number): void {
    const { blockSize } = this.config;
    const slot = this.slots.open(request, nowMs);
    const blocks = Math.ceil((request.promptTokens + request.outputTokens) / blockSize);
    this.nextPrivateKey -= blocks;
    this.slots.content[slot]!.assign(request.content, request.promptTokens, blockSize, this.nextPrivateKey);
    this.slotOf.add(request.id, slot);
    this.arrivals.push(slot);
  }

  /** Slot of an open request, or -1. */
  find(id: number): number {
    return this.slotOf.get(id);
  }

  /** Gives the blocks of an ended request back and forgets it. */
  close(slot: number): void {
    this.kv.release(this.slots.table[slot]!);
    this.slotOf.delete(this.slots.id[slot]!);
    this.slots.close(slot);
  }

  waitingCount(): number {
    return this.waiting.length + this.skippedWaiting.length;
  }

  /** Whether a schedule now would find nobody: no request runs or waits. */
  isBare(): boolean {
    return this.runningCount === 0 && this.waiting.length === 0 && this.skippedWaiting.length === 0;
  }

  /** vLLM's has_requests: whether the engine loop has anything to schedule or to flush. */
  hasRequests(): boolean {
    return this.endedSinceSchedule || this.polls();
  }

  /** Whether the engine loop runs, so that it would notice a transfer that ends. */
  polls(): boolean {
    if (this.runningCount > 0 || this.waitingCount() > 0) return true;
    return this.config.rules.idlePollsFinishedSends && this.heldForTransfer > 0;
  }

  removeFromRunning(index: number): void {
    this.running.copyWithin(index, index + 1, this.runningCount);
    this.runningCount--;
  }

  /** Drops the requests that no longer run from the running list, keeping its order. */
  compactRunning(): void {
    const { running } = this;
    const { status } = this.slots;
    let kept = 0;
    for (let i = 0; i < this.runningCount; i++) {
      const slot = running[i]!;
      if (status[slot] === STATUS.running) running[kept++] = slot;
    }
    this.runningCount = kept;
  }
}
