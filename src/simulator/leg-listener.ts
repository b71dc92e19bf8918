import type { EngineListener, FinishReason, KvListener } from "../engine/types.js";

/** What the simulation does with an engine's events; `worker` is the engine that speaks. */
export interface LegEvents {
  scheduled(worker: number, row: number, atMs: number, cachedTokens: number): void;
  kvReadStart(worker: number, row: number, atMs: number, tokens: number): void;
  firstToken(worker: number, row: number, atMs: number): void;
  preempted(worker: number, row: number, atMs: number): void;
  finished(worker: number, row: number, atMs: number, reason: FinishReason, outputTokens: number): void;
  tokenGaps(
    worker: number,
    firstMs: number,
    deltaMs: number,
    steps: number,
    sequences: number,
    endMs: number,
    lateRow: number,
  ): void;
}

/** Puts the engine's number to each of its events. */
export class LegListener implements EngineListener {
  readonly kv?: KvListener;
  private readonly events: LegEvents;
  private readonly worker: number;

  constructor(events: LegEvents, worker: number, kv: KvListener | undefined) {
    this.events = events;
    this.worker = worker;
    if (kv !== undefined) this.kv = kv;
  }

  onScheduled(id: number, atMs: number, cachedTokens: number): void {
    this.events.scheduled(this.worker, id, atMs, cachedTokens);
  }

  onKvReadStart(id: number, atMs: number, tokens: number): void {
    this.events.kvReadStart(this.worker, id, atMs, tokens);
  }

  onFirstToken(id: number, atMs: number): void {
    this.events.firstToken(this.worker, id, atMs);
  }

  onPreempted(id: number, atMs: number): void {
    this.events.preempted(this.worker, id, atMs);
  }

  onFinished(id: number, atMs: number, reason: FinishReason, outputTokens: number): void {
    this.events.finished(this.worker, id, atMs, reason, outputTokens);
  }

  onTokenGaps(
    firstMs: number,
    deltaMs: number,
    steps: number,
    sequences: number,
    endMs: number,
    lateId: number,
  ): void {
    this.events.tokenGaps(this.worker, firstMs, deltaMs, steps, sequences, endMs, lateId);
  }
}
