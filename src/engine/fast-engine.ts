import { WorkError } from "../errors.js";
import { startLoads } from "./admission.js";
import { DecodeRun } from "./decode-run.js";
import { ExtentCache } from "./extent-cache.js";
import type { EngineObserver } from "./observer.js";
import { PlainEngine } from "./plain-engine.js";
import { nothingToSchedule } from "./scheduler.js";
import type { StepBatch } from "./step-batch.js";
import { onlyTokensToHandOut, takeTransferReports } from "./step-outputs.js";
import type { EngineConfig, EngineGauges, EngineListener, StepTimeModel } from "./types.js";

/**
 * The plain engine without the turns of its loop in which nothing happens.
 *
 * - A run of decode-only steps is one event (`DecodeRun`).
 * - Steps without tokens are left out: behind a step that computes something, and where an engine comes to rest.
 * - The end of a step that yields no token, with nothing left to schedule, is passed over.
 * - Where the end of a step changes nothing but tokens, they are handed out when the next one is launched, and a run
 *   can begin behind the two.
 *
 * Whatever comes in from outside acts at the step boundary at which it acts in the plain engine.
 */
export class FastEngine extends PlainEngine {
  private readonly run: DecodeRun;
  /** The next boundary is the end of the second step under way: nothing happens at that of the first. */
  private passesFirst = false;
  /** What the step before the next boundary, or before the run, gave has been handed out ahead of its end. */
  private isAhead = false;

  constructor(
    config: EngineConfig,
    stepTime: StepTimeModel,
    listener: EngineListener,
    observer: EngineObserver | null,
  ) {
    super(config, stepTime, listener, observer, false, ExtentCache);
    this.run = new DecodeRun(this.state, stepTime);
  }

  override gauges(nowMs: number): EngineGauges {
    const gauges = super.gauges(nowMs);
    if (this.run.steps === 0) return gauges;
    const { kv } = this.state;
    return { ...gauges, kvUsage: 1 - (kv.free - this.run.blocksTakenBy(nowMs)) / kv.usable };
  }

  override blocksOf(): never {
    throw new WorkError("the fast engine does not number its blocks, the plain one does");
  }

  protected override settle(nowMs: number): boolean {
    if (this.run.steps > 0) {
      this.isAhead = false;
      this.endRun();
      return true;
    }
    if (this.isAhead) {
      this.isAhead = false;
      takeTransferReports(this.state);
      return true;
    }
    if (this.passesFirst) this.finishFirst();
    return super.settle(nowMs);
  }

  protected override proceed(nowMs: number): void {
    const { state, underWay, run } = this;
    const inFlight = underWay[0] ?? null;
    const steady = this.depth === 1 || (inFlight !== null && inFlight.tokens > 0);
    const canRun = steady && underWay.length < this.depth;
    if (canRun) startLoads(state, nowMs);
    if (canRun && run.plan(nowMs, inFlight)) {
      this.boundaryMs = run.boundaryMs(run.steps);
    } else if (underWay.length === 0 && state.isBare()) {
      this.rest();
    } else if (inFlight !== null && inFlight.tokens > 0 && nothingToSchedule(state)) {
      state.endedSinceSchedule = false;
      this.waitsForStep = true;
      this.boundaryMs = inFlight.endMs;
    } else {
      super.proceed(nowMs);
      if (this.waitsForStep && underWay.length === 2) this.shortenWait();
    }
  }

  protected override wake(nowMs: number): void {
    const { run } = this;
    if (run.steps > 0 && this.isAhead && nowMs <= run.startMs) {
      run.steps = 0;
      this.boundaryMs = run.startMs;
    } else if (run.steps > 0) {
      run.steps = run.firstBoundaryFrom(nowMs);
      this.boundaryMs = run.boundaryMs(run.steps);
    } else if (this.passesFirst) {
      this.passesFirst = false;
      this.boundaryMs = this.underWay[0]!.endMs;
    } else {
      super.wake(nowMs);
    }
  }

  protected override catchUp(nowMs: number): void {
    if (this.passesFirst && this.underWay[0]!.endMs < nowMs) this.finishFirst();
    super.catchUp(nowMs);
  }

  private endRun(): void {
    const inFlight = this.underWay[0] ?? null;
    this.run.apply(inFlight);
    if (inFlight === null) return;
    this.gpuFreeMs = inFlight.endMs;
    if (inFlight.tokens === 0) this.spare.push(this.underWay.pop()!);
  }

  /** Nobody runs or waits: what the plain engine's empty steps would do at this instant. */
  private rest(): void {
    const { state } = this;
    if (state.hasRequests()) {
      state.endedSinceSchedule = false;
      takeTransferReports(state);
    }
    this.boundaryMs = Infinity;
  }

  /** Two steps are under way, and the loop waits for the first. */
  private shortenWait(): void {
    const { state, underWay } = this;
    const [first, second] = underWay as [StepBatch, StepBatch];
    if (second.tokens === 0) {
      // Whether it is there or not, at the end of the first step the loop schedules one that computes something.
      if (!second.preempted && first.tokens > 0) this.spare.push(underWay.pop()!);
    } else if (!first.yieldsAny() && nothingToSchedule(state)) {
      this.passesFirst = true;
      this.boundaryMs = second.endMs;
    } else if (second.yieldsAll(state.runningCount) && onlyTokensToHandOut(state, first)) {
      this.handOutAhead(first.endMs, second);
    }
  }

  /** Hands out the tokens of the first step under way, and begins a run at its end where there is one. */
  private handOutAhead(endMs: number, second: StepBatch): void {
    this.finishOldest(endMs);
    this.isAhead = true;
    this.waitsForStep = false;
    this.boundaryMs = this.run.plan(endMs, second) ? this.run.boundaryMs(this.run.steps) : endMs;
  }

  private finishFirst(): void {
    this.passesFirst = false;
    this.finishOldest(this.underWay[0]!.endMs);
  }
}
