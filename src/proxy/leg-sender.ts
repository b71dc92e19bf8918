import type { Leg, RouteDecision } from "../routing/types.js";
import { answerRewriting } from "./answer-rewriting.js";
import type { ArrivedRequest } from "./arrival.js";
import type { Rewriting } from "./client-reply.js";
import { drawRoom, type ProxyCore } from "./core.js";
import type { LegContext } from "./dialects/dialect.js";
import type { RequestLegs } from "./request-legs.js";
import type { UpstreamEvents } from "./upstream-call.js";
import { CachedTokens } from "./usage.js";

/** Writes the bodies of one request's legs, in the connector's dialect, and sends them. */
export class LegSender {
  private readonly core: ProxyCore;
  private readonly arrived: ArrivedRequest;
  private readonly legs: RequestLegs;
  private readonly events: UpstreamEvents;
  /** Null: one worker does both. */
  private context: LegContext | null = null;
  private concurrent = false;
  /** The prefill reply, for a decode leg that is tried again. */
  private keptReply: Buffer | null = null;
  private readonly cachedTokens = new CachedTokens();
  private answerRewriting: Rewriting | null = null;

  constructor(core: ProxyCore, arrived: ArrivedRequest, legs: RequestLegs, events: UpstreamEvents) {
    this.core = core;
    this.arrived = arrived;
    this.legs = legs;
    this.events = events;
  }

  get isDisaggregated(): boolean {
    return this.context !== null;
  }

  /** Both legs are under way at once. */
  get isConcurrent(): boolean {
    return this.concurrent;
  }

  /** What is done to the decode worker's answer; null = nothing. */
  get rewriting(): Rewriting | null {
    return this.answerRewriting;
  }

  /**
   * Sends what can be sent now: the prefill leg, with the decode leg where both go at once, or the request as
   * it is to the one worker that does both.
   *
   * @param attempt From 1.
   */
  begin({ prefill, decode }: RouteDecision, attempt: number): void {
    const { dialect, workers } = this.core;
    const { api, body, json } = this.arrived;
    const requestId = this.attemptId(attempt);
    if (prefill === null) {
      this.context = null;
      this.answerRewriting = null;
      this.send("decode", body, requestId);
      return;
    }
    this.context = {
      api: api!,
      body,
      json: json!,
      requestId,
      prefill: workers[prefill.worker]!,
      decode: decode === null ? null : workers[decode.worker]!,
      room: drawRoom(),
    };
    this.concurrent = dialect.handoff(this.context) === "concurrent";
    this.send("prefill", dialect.prefillBody(this.context), requestId);
    if (this.concurrent) this.sendDecode(null);
  }

  /** The decode leg's worker has been chosen, or another one. */
  decodeChosen(worker: number): void {
    if (this.context !== null) this.context = { ...this.context, decode: this.core.workers[worker]! };
  }

  /** A prefill worker has done its part. @param reply Its answer. */
  prefilled(reply: Buffer): void {
    this.cachedTokens.learn(reply);
    this.core.dialect.learn?.(this.context!, reply);
    this.keptReply = reply;
  }

  /** Sends the decode leg behind a prefill leg. @param reply What the prefill worker answered, or null. */
  sendDecode(reply: Buffer | null): void {
    const { body, firstToken } = this.core.dialect.decodeLeg(this.context!, reply);
    this.answerRewriting = answerRewriting(this.cachedTokens, firstToken);
    this.send("decode", body, this.context!.requestId);
  }

  /** The same with the prefill reply of before. */
  sendDecodeAgain(): void {
    this.sendDecode(this.keptReply);
  }

  private send(leg: Leg, body: Buffer, requestId: string): void {
    this.legs.send(leg, { body, requestId, readsAnswer: this.context !== null }, this.events);
  }

  /** The request's id for workers: another one for every attempt, since an engine may still know the last. */
  private attemptId(attempt: number): string {
    const { requestId } = this.arrived;
    return attempt === 1 ? requestId : `${requestId}-${attempt}`;
  }
}
