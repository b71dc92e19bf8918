import { BlockContent } from "./block-content.js";
import { EngineState } from "./engine-state.js";
import type { KvBlocks, KvCacheConfig } from "./kv-blocks.js";
import { KvCache } from "./kv-cache.js";
import type { EngineObserver } from "./observer.js";
import { takeArrivalsAndAborts } from "./request-end.js";
import { schedule, scheduleNothing } from "./scheduler.js";
import { StepBatch } from "./step-batch.js";
import { handleOutputs } from "./step-outputs.js";
import { StepRecorder } from "./step-recorder.js";
import { rejectReason } from "./reject.js";
import type {
  Engine,
  EngineConfig,
  EngineGauges,
  EngineListener,
  EngineTotals,
  LegRequest,
  StepTimeModel,
} from "./types.js";

/**
 * An engine that takes every step one by one: vLLM's EngineCore loop in virtual time. With async scheduling
 * two steps are under way at once, else one.
 *
 * The loop acts at *boundaries*: it handles the output of the oldest step under way, takes in what has come,
 * schedules, and goes on at the next boundary. A step without tokens takes no time; when nothing is under way
 * and nothing changes any more, the engine sleeps until it is told something.
 */
export class PlainEngine implements Engine {
  protected readonly state: EngineState;
  protected readonly stepTime: StepTimeModel;
  /** When the loop acts next; Infinity while it sleeps. */
  protected boundaryMs = Infinity;
  /** Steps under way, oldest first. */
  protected readonly underWay: StepBatch[] = [];
  protected gpuFreeMs = -Infinity;
  protected readonly depth: number;
  protected readonly spare: StepBatch[] = [];
  /** The loop waits for the oldest step under way; otherwise it may schedule at once. */
  protected waitsForStep = false;

  constructor(
    config: EngineConfig,
    stepTime: StepTimeModel,
    listener: EngineListener,
    observer: EngineObserver | null,
    everyStep = true,
    Cache: new (config: KvCacheConfig) => KvBlocks = KvCache,
  ) {
    const recorder = observer === null ? null : new StepRecorder(observer, everyStep);
    const { blockSize, numGpuBlocks, enablePrefixCaching, rules } = config;
    const { unkeyedBlocksToHead } = rules;
    const kv = new Cache({ blockSize, numGpuBlocks, enablePrefixCaching, unkeyedBlocksToHead });
    this.state = new EngineState(config, kv, listener, recorder);
    this.stepTime = stepTime;
    this.depth = config.asyncScheduling ? 2 : 1;
    for (let i = 0; i < this.depth + 1; i++) this.spare.push(new StepBatch(config.maxNumSeqs));
  }

  reject(request: LegRequest): string | null {
    return rejectReason(this.state.config, request);
  }

  submit(request: LegRequest, nowMs: number): void {
    this.catchUp(nowMs);
    this.state.open(request, nowMs);
    this.wake(nowMs);
  }

  abort(id: number, nowMs: number): void {
    this.catchUp(nowMs);
    this.state.aborts.push(id);
    if (this.state.find(id) >= 0) this.wake(nowMs);
  }

  kvArrived(id: number, nowMs: number): void {
    this.catchUp(nowMs);
    this.state.received.push(id);
    if (this.state.polls()) this.wake(nowMs);
  }

  kvSent(id: number, nowMs: number): void {
    this.catchUp(nowMs);
    this.state.sent.push(id);
    if (this.state.polls()) this.wake(nowMs);
  }

  nextEventMs(): number {
    return this.boundaryMs;
  }

  advance(nowMs: number): void {
    while (this.boundaryMs <= nowMs) this.turn(this.boundaryMs);
  }

  gauges(nowMs: number): EngineGauges {
    this.catchUp(nowMs);
    const { state } = this;
    return {
      running: state.runningCount,
      waiting: state.waitingCount() + state.arrivals.length,
      kvUsage: state.kv.usage(),
    };
  }

  totals(): EngineTotals {
    return this.state.totals;
  }

  blocksInUse(): number {
    return this.state.kv.inUse();
  }

  cachedTokens(request: LegRequest): number {
    const { blockSize } = this.state.config;
    const content = new BlockContent();
    // Its private blocks need keys that nothing is published under.
    content.assign(request.content, request.promptTokens, blockSize, Number.MIN_SAFE_INTEGER);
    return this.state.kv.lookup(content, request.promptTokens).length * blockSize;
  }

  blocksOf(id: number): readonly number[] {
    const slot = this.state.find(id);
    if (slot < 0) return [];
    const { blocks, length } = this.state.slots.table[slot]!;
    return [...blocks.subarray(0, length)];
  }

  /** One turn of the loop at `nowMs`. */
  private turn(nowMs: number): void {
    if (this.settle(nowMs)) {
      takeArrivalsAndAborts(this.state, nowMs);
      this.proceed(nowMs);
    } else {
      this.boundaryMs = Infinity;
    }
  }

  /** Handles what has ended; false if the loop has come to rest. */
  protected settle(nowMs: number): boolean {
    if (!this.waitsForStep) return true;
    this.waitsForStep = false;
    return this.finishOldest(nowMs);
  }

  /** Schedules the next step, if there is a place for it, and sets the next boundary. */
  protected proceed(nowMs: number): void {
    const { state, underWay } = this;
    if (state.hasRequests()) {
      const batch = this.launch(nowMs);
      if (batch.tokens > 0 && underWay.length < this.depth) {
        this.boundaryMs = nowMs;
        return;
      }
    } else if (underWay.length === 0) {
      this.boundaryMs = Infinity;
      return;
    }
    this.waitsForStep = true;
    this.boundaryMs = Math.max(nowMs, underWay[0]!.endMs);
  }

  /** Schedules a step; it runs as soon as the GPU is free. */
  private launch(nowMs: number): StepBatch {
    const batch = this.spare.pop()!;
    if (this.state.isBare()) scheduleNothing(this.state, batch, nowMs);
    else schedule(this.state, batch, nowMs);
    batch.startMs = Math.max(nowMs, this.gpuFreeMs);
    batch.endMs = batch.startMs + (batch.tokens > 0 ? this.stepTime.stepMs(batch.load) : 0);
    this.gpuFreeMs = batch.endMs;
    this.underWay.push(batch);
    return batch;
  }

  /**
   * Handles the outputs of the oldest step under way. Returns false when the loop has come to rest: the step
   * was empty and changed nothing, and nothing else is under way.
   */
  protected finishOldest(nowMs: number): boolean {
    const batch = this.takeOldest();
    const reported = handleOutputs(this.state, batch, nowMs);
    this.spare.push(batch);
    if (batch.tokens > 0 || batch.preempted || reported) return true;
    const resting = this.underWay.every((other) => other.tokens === 0 && !other.preempted);
    if (resting) while (this.underWay.length > 0) this.spare.push(this.underWay.pop()!);
    return !resting;
  }

  /** Takes out the oldest step under way, of two at most. */
  private takeOldest(): StepBatch {
    const { underWay } = this;
    const newest = underWay.pop()!;
    if (underWay.length === 0) return newest;
    const oldest = underWay[0]!;
    underWay[0] = newest;
    return oldest;
  }

  /** Lets everything before `nowMs` happen, so that what comes at `nowMs` acts at the boundary after it. */
  protected catchUp(nowMs: number): void {
    while (this.boundaryMs < nowMs) this.turn(this.boundaryMs);
  }

  /** Something has come in: it acts at the next boundary, which is now if the engine sleeps. */
  protected wake(nowMs: number): void {
    if (this.boundaryMs === Infinity) this.boundaryMs = nowMs;
  }
}
