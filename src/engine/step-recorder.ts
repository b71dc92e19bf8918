import type { EngineState } from "./engine-state.js";
import type { EngineObserver, PrefixCounts, ScheduledView, StepView } from "./observer.js";
import type { StepBatch } from "./step-batch.js";

const KIND_NAMES = ["first", "resumed", "running"] as const;

type Scheduled = Omit<
  StepView,
  "freeAfter" | "tokensFor" | "finished" | "received" | "sent" | "startMs" | "endMs"
>;

/** Collects what an observer wants to know. An engine without an observer has no recorder. */
export class StepRecorder {
  private readonly observer: EngineObserver;
  private readonly views: boolean;
  private state: EngineState | null = null;
  private preemptedIds: number[] = [];
  private freeBefore = 0;
  private prefix = emptyCounts();
  private tokenIds: number[] = [];
  private finishedIds: number[] = [];
  private receivedIds: number[] = [];
  private sentIds: number[] = [];
  /** Schedules whose steps are under way. */
  private readonly scheduled = new Map<StepBatch, Scheduled>();

  /** @param everyStep whether the engine goes through every step, so that `onStep` can be told of each. */
  constructor(observer: EngineObserver, everyStep: boolean) {
    this.observer = observer;
    this.views = everyStep && observer.onStep !== undefined;
  }

  watch(state: EngineState): void {
    this.state = state;
    if (this.views) state.kv.evicted = [];
  }

  beginSchedule(): void {
    this.freeBefore = this.state!.kv.free;
    this.preemptedIds = [];
    this.prefix = emptyCounts();
    if (this.state!.kv.evicted !== null) this.state!.kv.evicted = [];
  }

  lookedUp(slot: number, hitBlocks: number): void {
    const { slots, config } = this.state!;
    const queries = slots.knownTokens[slot]!;
    const hits = hitBlocks * config.blockSize;
    if (!config.enablePrefixCaching) return;
    if (slots.preemptions[slot]! > 0) {
      this.prefix.preemptedRequests++;
      this.prefix.preemptedQueries += queries;
      this.prefix.preemptedHits += hits;
    } else {
      this.prefix.requests++;
      this.prefix.queries += queries;
      this.prefix.hits += hits;
    }
  }

  preempted(slot: number): void {
    this.preemptedIds.push(this.idOf(slot));
  }

  decodeRun(firstMs: number, gapMs: number, deltaMs: number, steps: number): void {
    const { running, runningCount } = this.state!;
    const ids = Array.from(running.subarray(0, runningCount), (slot) => this.idOf(slot));
    this.observer.onDecodeRun?.(ids, firstMs, gapMs, deltaMs, steps);
  }

  endSchedule(batch: StepBatch): void {
    if (!this.views) return;
    const { kv, running, runningCount, waiting, skippedWaiting } = this.state!;
    this.scheduled.set(batch, {
      scheduledMs: batch.scheduledMs,
      tokens: batch.tokens,
      freeBefore: this.freeBefore,
      freeScheduled: kv.free,
      scheduled: Array.from({ length: batch.length }, (_, i) => this.viewOf(batch, i)),
      preempted: this.preemptedIds,
      evicted: kv.evicted ?? [],
      running: Array.from(running.subarray(0, runningCount), (slot) => this.idOf(slot)),
      waiting: waiting.toArray().map((slot) => this.idOf(slot)),
      skippedWaiting: skippedWaiting.toArray().map((slot) => this.idOf(slot)),
      freeQueue: kv.freeQueue(),
      prefix: this.prefix,
    });
  }

  token(slot: number): void {
    this.tokenIds.push(this.idOf(slot));
  }

  finished(slot: number): void {
    this.finishedIds.push(this.idOf(slot));
  }

  tokensHandedOut(nowMs: number): void {
    if (this.tokenIds.length > 0) this.observer.onTokens?.(this.tokenIds, nowMs);
  }

  reported(received: Iterable<number>, sent: Iterable<number>): void {
    this.receivedIds = [...received];
    this.sentIds = [...sent];
  }

  endStep(batch: StepBatch): void {
    const scheduled = this.scheduled.get(batch);
    if (scheduled !== undefined) {
      this.observer.onStep?.({
        ...scheduled,
        startMs: batch.startMs,
        endMs: batch.endMs,
        freeAfter: this.state!.kv.free,
        tokensFor: this.tokenIds,
        finished: this.finishedIds,
        received: this.receivedIds,
        sent: this.sentIds,
      });
    }
    this.tokenIds = [];
    this.finishedIds = [];
  }

  private idOf(slot: number): number {
    return this.state!.slots.id[slot]!;
  }

  private viewOf(batch: StepBatch, i: number): ScheduledView {
    const slot = batch.slot[i]!;
    const table = this.state!.slots.table[slot]!;
    return {
      id: this.idOf(slot),
      kind: KIND_NAMES[batch.kind[i]!]!,
      computedBefore: batch.computedBefore[i]!,
      tokens: batch.scheduledTokens[i]!,
      blocks: [...table.blocks.subarray(batch.blocksBefore[i], table.length)],
    };
  }
}

function emptyCounts(): PrefixCounts {
  return { requests: 0, queries: 0, hits: 0, preemptedRequests: 0, preemptedQueries: 0, preemptedHits: 0 };
}
