import { WorkError } from "../errors.js";
import { DecodeRun } from "./decode-run.js";
import { ExtentCache } from "./extent-cache.js";
import type { EngineObserver } from "./observer.js";
import { PlainEngine } from "./plain-engine.js";
import type { EngineConfig, EngineGauges, EngineListener, StepTimeModel } from "./types.js";

/**
 * The plain engine, except that runs of decode-only steps are one event. Whatever comes in during a run cuts it
 * at the next step boundary, where it then acts as it would in the plain engine.
 */
export class FastEngine extends PlainEngine {
  private readonly run: DecodeRun;

  constructor(
    config: EngineConfig,
    stepTime: StepTimeModel,
    listener: EngineListener,
    observer: EngineObserver | null,
  ) {
    super(config, stepTime, listener, observer, false, ExtentCache);
    this.run = new DecodeRun(this.state);
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
    if (this.run.steps === 0) return super.settle(nowMs);
    const inFlight = this.underWay[0] ?? null;
    this.run.apply(inFlight);
    if (inFlight !== null) this.gpuFreeMs = inFlight.endMs;
    return true;
  }

  protected override proceed(nowMs: number): void {
    const inFlight = this.underWay[0] ?? null;
    const steady = this.depth === 1 || (inFlight !== null && inFlight.tokens > 0);
    if (steady && this.underWay.length < this.depth && this.run.plan(this.stepTime, nowMs, inFlight)) {
      this.boundaryMs = this.run.boundaryMs(this.run.steps);
    } else {
      super.proceed(nowMs);
    }
  }

  protected override wake(nowMs: number): void {
    if (this.run.steps === 0) {
      super.wake(nowMs);
    } else {
      this.run.steps = this.run.firstBoundaryFrom(nowMs);
      this.boundaryMs = this.run.boundaryMs(this.run.steps);
    }
  }
}
