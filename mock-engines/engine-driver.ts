import { createEngine } from "../src/engine/engine.js";
import type { EngineObserver, StepView } from "../src/engine/observer.js";
import type { Engine, EngineListener, KvRole, LegRequest } from "../src/engine/types.js";
import type { WorkerSetup } from "../src/simulator/setup.js";
import { ApiError } from "./http/api-error.js";
import { hashBlocks } from "./kv/block-hashes.js";
import { BlockIds } from "./kv/block-ids.js";
import { Leg, type KvSource, type LegContent, type LegSink, type LegSpec } from "./leg.js";
import type { Alarm, VirtualClock } from "./virtual-clock.js";

/** What happens in the engine, in order of time, told after the engine has settled. */
export interface DriverEvents {
  /** The leg holds blocks for `tokens` tokens of KV from elsewhere; 0 = it no longer wants them. */
  kvReadStart(leg: Leg, atMs: number, tokens: number): void;
  token(leg: Leg, atMs: number): void;
  /**
   * All tokens are out, or the leg was aborted (`leg.state`). Its sink hears of the end from `complete`, when
   * nothing more has to be done about its KV.
   */
  finished(leg: Leg, atMs: number): void;
}

type EngineEvent =
  | { readonly kind: "scheduled"; readonly id: number; readonly atMs: number; readonly cachedTokens: number }
  | { readonly kind: "read"; readonly id: number; readonly atMs: number; readonly tokens: number }
  | { readonly kind: "tokens"; readonly ids: readonly number[]; readonly atMs: number }
  | { readonly kind: "finished"; readonly id: number; readonly atMs: number; readonly outputTokens: number };

/** Figures of an engine at one instant. */
export interface DriverGauges {
  readonly running: number;
  readonly waiting: number;
  readonly kvUsage: number;
  readonly blocksInUse: number;
}

/**
 * One engine of the engine model in the clock's time: it owns when the engine advances and which leg each of
 * its events belongs to. What the engine says is queued while it works and handed on afterwards, because a
 * listener must not call back into it.
 */
export class EngineDriver {
  private readonly worker: WorkerSetup;
  private readonly clock: VirtualClock;
  private readonly events: DriverEvents;
  private readonly alarm: Alarm;
  private readonly blockIds: BlockIds;
  private engine: Engine;
  private readonly legs = new Map<number, Leg>();
  private readonly queue: EngineEvent[] = [];
  private readonly onStep: ((step: StepView) => void) | null;
  private nextId = 0;
  private draining = false;

  /** @param onStep sees every step as it ends, from within the engine; null = steps are not recorded */
  constructor(
    worker: WorkerSetup,
    clock: VirtualClock,
    events: DriverEvents,
    onStep: ((step: StepView) => void) | null,
  ) {
    this.worker = worker;
    this.onStep = onStep;
    this.clock = clock;
    this.events = events;
    this.blockIds = new BlockIds(2 * worker.engine.numGpuBlocks);
    this.engine = this.createEngine();
    this.alarm = clock.alarm((dueMs) => {
      this.engine.advance(dueMs);
      this.settle();
    });
  }

  /**
   * Takes a leg in; its tokens go to `sink` as the engine makes them.
   *
   * @throws ApiError when the engine could never serve it
   */
  submit(spec: LegSpec, sink: LegSink, role: KvRole, source: KvSource | null): Leg {
    const nowMs = this.clock.catchUp();
    const leg = new Leg(spec, sink, this.contentOf(spec), source, nowMs);
    const reason = this.engine.reject(requestOf(spec, leg.content, role, -1));
    if (reason !== null) throw new ApiError(400, `This request cannot be served: ${reason}.`);
    const { requestOverheadMs } = this.worker;
    if (requestOverheadMs === 0) this.enter(leg, role, nowMs);
    else this.clock.at(nowMs + requestOverheadMs, (dueMs) => this.enter(leg, role, dueMs));
    return leg;
  }

  /** The client is gone: nothing more goes to the leg's sink. */
  abort(leg: Leg): void {
    if (leg.state !== "open") return;
    leg.state = "aborted";
    const nowMs = this.clock.catchUp();
    this.engine.abort(leg.engineId, nowMs);
    this.settle();
  }

  /** Tells the leg's client that it is over. */
  complete(leg: Leg, atMs: number): void {
    if (leg.state !== "open") return;
    leg.state = "ended";
    this.deliver(atMs, () => leg.sink.onEnd(leg));
  }

  /** Ends a leg that waits for KV with an error. */
  fail(leg: Leg, error: ApiError): void {
    if (leg.state !== "open") return;
    leg.state = "failed";
    this.withdraw(leg);
    leg.sink.onFailed(leg, error);
  }

  /** The KV that a leg waits for has arrived. */
  kvArrived(leg: Leg, atMs: number): void {
    this.engine.kvArrived(leg.engineId, atMs);
    this.settle();
  }

  /** The KV that a leg waits for will not come: it computes its prompt here, as a request of its own. */
  startOverLocally(leg: Leg): void {
    this.withdraw(leg);
    if (leg.state === "open") this.enter(leg, "local", this.clock.catchUp());
  }

  /** The blocks held for a reader may go. */
  kvSent(engineId: number): void {
    this.engine.kvSent(engineId, this.clock.catchUp());
    this.settle();
  }

  /** The leg behind an id of the engine. */
  legOf(engineId: number): Leg | undefined {
    return this.legs.get(engineId);
  }

  /** Physical blocks of a leg. */
  blocksOf(leg: Leg): readonly number[] {
    return this.engine.blocksOf(leg.engineId);
  }

  /** Prompt tokens that the prefix cache would give a leg now. */
  cachedTokens(spec: LegSpec): number {
    return this.engine.cachedTokens(requestOf(spec, this.contentOf(spec), "local", -1));
  }

  /** Forgets all KV and every leg; legs that are open fail with `error`. */
  reset(error: ApiError): void {
    const open = [...this.legs.values()].filter((leg) => leg.state === "open");
    this.legs.clear();
    this.queue.length = 0;
    this.engine = this.createEngine();
    this.alarm.set(Infinity);
    for (const leg of open) {
      leg.state = "failed";
      leg.sink.onFailed(leg, error);
    }
  }

  gauges(): DriverGauges {
    const nowMs = this.clock.catchUp();
    const { running, waiting, kvUsage } = this.engine.gauges(nowMs);
    return { running, waiting, kvUsage, blocksInUse: this.engine.blocksInUse() };
  }

  totals(): ReturnType<Engine["totals"]> {
    return this.engine.totals();
  }

  /** Legs in the engine whose client waits for them. */
  openLegs(): readonly Leg[] {
    return [...this.legs.values()].filter((leg) => leg.state === "open");
  }

  /** Legs in the engine, also those that are being aborted. */
  get openLegCount(): number {
    return this.legs.size;
  }

  private enter(leg: Leg, role: KvRole, nowMs: number): void {
    if (leg.state !== "open") return;
    leg.engineId = this.nextId++;
    this.legs.set(leg.engineId, leg);
    this.engine.submit(requestOf(leg.spec, leg.content, role, leg.engineId), nowMs);
    this.settle();
  }

  /** Takes a leg that waits for KV out of the engine; vLLM ends an abort only when the load has ended. */
  private withdraw(leg: Leg): void {
    const nowMs = this.clock.catchUp();
    this.legs.delete(leg.engineId);
    this.engine.abort(leg.engineId, nowMs);
    this.engine.kvArrived(leg.engineId, nowMs);
    this.settle();
  }

  private contentOf(spec: LegSpec): LegContent {
    const { blockSize } = this.worker.engine;
    const hashes = hashBlocks(spec.tokens, blockSize, spec.root);
    return { hashes, span: this.blockIds.span(hashes, spec.tokens.length, blockSize) };
  }

  private createEngine(): Engine {
    const { queue } = this;
    const listener: EngineListener = {
      onScheduled: (id, atMs, cachedTokens) => queue.push({ kind: "scheduled", id, atMs, cachedTokens }),
      onKvReadStart: (id, atMs, tokens) => queue.push({ kind: "read", id, atMs, tokens }),
      onFirstToken: () => undefined,
      onPreempted: () => undefined,
      onFinished: (id, atMs, _reason, outputTokens) =>
        queue.push({ kind: "finished", id, atMs, outputTokens }),
      onTokenGaps: () => undefined,
    };
    const observer: EngineObserver = {
      onTokens: (ids, atMs) => queue.push({ kind: "tokens", ids, atMs }),
      ...(this.onStep === null ? {} : { onStep: this.onStep }),
    };
    return createEngine(this.worker.engine, this.worker.stepTime, listener, "plain", observer);
  }

  /** Hands on what the engine has said, and sets the alarm for what it does next. */
  private settle(): void {
    if (this.draining) return;
    this.draining = true;
    try {
      // Handlers may call the engine again, which adds to the queue.
      for (let event = this.queue.shift(); event !== undefined; event = this.queue.shift()) {
        this.handle(event);
      }
    } finally {
      this.draining = false;
    }
    this.alarm.set(this.engine.nextEventMs());
  }

  private handle(event: EngineEvent): void {
    if (event.kind === "tokens") {
      for (const id of event.ids) {
        const leg = this.legs.get(id);
        if (leg !== undefined) this.emit(leg, event.atMs);
      }
      return;
    }
    const leg = this.legs.get(event.id);
    if (leg === undefined) return;
    if (event.kind === "scheduled") {
      leg.scheduledMs = event.atMs;
      leg.cachedTokens = Math.max(event.cachedTokens, leg.externalTokens);
    } else if (event.kind === "read") {
      this.events.kvReadStart(leg, event.atMs, event.tokens);
    } else {
      this.finish(leg, event.id, event.atMs, event.outputTokens);
    }
  }

  private emit(leg: Leg, atMs: number): void {
    if (leg.state !== "open") return;
    leg.emitted++;
    if (leg.emitted === 1) leg.firstTokenMs = atMs;
    this.events.token(leg, atMs);
    leg.lastTokenMs = atMs;
    this.deliver(atMs, () => leg.sink.onToken(leg));
  }

  /** What happens in a step is at the socket some time after it, where the profile says so. */
  private deliver(atMs: number, tell: () => void): void {
    const { responseOverheadMs } = this.worker;
    if (responseOverheadMs > 0) this.clock.at(atMs + responseOverheadMs, tell);
    else tell();
  }

  /** The engine tells of an end before it tells of the tokens of that step. */
  private finish(leg: Leg, id: number, atMs: number, outputTokens: number): void {
    while (leg.state === "open" && leg.emitted < outputTokens) this.emit(leg, atMs);
    this.legs.delete(id);
    this.events.finished(leg, atMs);
  }
}

function requestOf(spec: LegSpec, content: LegContent, kvRole: KvRole, id: number): LegRequest {
  const { promptTokens, outputTokens, priority } = spec;
  return { id, promptTokens, outputTokens, content: content.span, priority, kvRole };
}
