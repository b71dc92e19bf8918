import type { Leg, LegOutcome, RoutingRequest } from "../routing/types.js";
import type { ArrivedRequest } from "./arrival.js";
import type { ClientReply } from "./client-reply.js";
import type { ProxyCore, RequestFacts } from "./core.js";
import {
  badGateway,
  errorCode,
  gatewayTimeout,
  internalError,
  noWorker,
  outcomeOf,
  removedWorker,
  type ProxyError,
} from "./error-body.js";
import { explanationHeaders } from "./explanation.js";
import type { FlatHeaders } from "./headers.js";
import { LegSender } from "./leg-sender.js";
import type { Watched } from "./limits/limits.js";
import type { Overdue, Pace } from "./limits/pace.js";
import { unknownModel } from "./model-names.js";
import { RequestLegs } from "./request-legs.js";
import { legFailure, type LegFailure } from "./retries/leg-failure.js";
import { LegRetries, type RetriedRequest } from "./retries/leg-retries.js";
import { generationRequest, otherRequest } from "./routing-request.js";
import { isConnectFailure, type UpstreamEvents } from "./upstream-call.js";

/** A prefill reply is one token and a handle. */
const PREFILL_REPLY_BYTES_MAX = 64 << 20;
/** What nginx logs for a client that closed its connection. */
const CLIENT_CLOSED = 499;

/**
 * One request that the routing core decides on, from the moment it has a place to the end of its last leg.
 *
 * As long as the client has seen nothing, a leg that fails may be tried on another worker. Whatever happens,
 * after `closed` no event of a worker, client or timer is looked at.
 */
export class Exchange implements UpstreamEvents, Watched, RetriedRequest {
  private readonly core: ProxyCore;
  private readonly arrived: ArrivedRequest;
  private readonly reply: ClientReply;
  private readonly retries: LegRetries;
  private routed: {
    readonly facts: RequestFacts;
    readonly legs: RequestLegs;
    readonly sender: LegSender;
  } | null = null;
  /** Since when the client has not taken what is there for it; null = it takes it. */
  private pausedMs: number | null = null;
  private closed = false;
  private hasFirstToken = false;
  private prefillReply: Buffer[] = [];
  private prefillReplyBytes = 0;

  constructor(core: ProxyCore, arrived: ArrivedRequest) {
    this.core = core;
    this.arrived = arrived;
    this.reply = arrived.reply;
    this.retries = new LegRetries(core, this);
  }

  begin(): void {
    this.core.limits.watch(this);
    this.guard(() => {
      this.route();
    });
  }

  /** The answer is closed, by the client or because it is complete. */
  onClientClose(): void {
    this.pausedMs = null;
    if (!this.arrived.res.writableFinished) this.close("cancelled", CLIENT_CLOSED);
    if (this.closed) this.core.limits.forget(this);
  }

  guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.core.onDefect(error);
      this.closeWith("failed", internalError());
    }
  }

  // Where it goes ------------------------------------------------------------------------------------------

  private route(): void {
    const { core } = this;
    const { api, path, req, requestId } = this.arrived;
    const receivedMs = core.nowMs();
    const request = this.routingRequest();
    core.roster.refresh();
    const beforeMs = performance.now();
    const decision = core.router.route(request, receivedMs);
    const decisionMs = performance.now() - beforeMs;
    if (decision.path === "rejected" && this.retries.waitsForWorker(decision, () => this.route())) return;
    const { id, promptTokens, sessionKey, model, priority } = request;
    const asked = { id, requestId, path, api, receivedMs, promptTokens, sessionKey, model, priority };
    const facts: RequestFacts = { ...asked, firstByteMs: null, decision, decisionMs };
    const legs = new RequestLegs(core, req, facts);
    const sender = new LegSender(core, this.arrived, legs, this);
    this.routed = { facts, legs, sender };
    core.tracing?.begin(facts, req.rawHeaders);
    for (const observer of core.observers) observer.onRouted?.(facts, request, decisionMs);
    if (decision.path === "rejected") {
      const { branch } = decision;
      this.closeWith("failed", branch === "unknown_model" ? unknownModel(model) : noWorker(branch));
      return;
    }
    if (decision.prefill !== null) legs.begin("prefill", decision.prefill.worker);
    if (decision.decode !== null) legs.begin("decode", decision.decode.worker);
    sender.begin(decision, this.retries.attempts);
  }

  get facts(): RequestFacts {
    return this.routed!.facts;
  }

  get legs(): RequestLegs {
    return this.routed!.legs;
  }

  get sender(): LegSender {
    return this.routed!.sender;
  }

  get isAnswered(): boolean {
    return this.reply.hasBegun || this.reply.isEnded;
  }

  routingRequest(): RoutingRequest {
    const { api, json, req } = this.arrived;
    return api === null || json === null
      ? otherRequest(this.core, json, req.rawHeaders)
      : generationRequest(this.core, api, json, req.rawHeaders);
  }

  chooseLateDecode(): boolean {
    const { facts, legs, sender } = this;
    this.core.roster.refresh();
    const beforeMs = performance.now();
    const decode = this.core.router.routeDecode(facts.id, this.core.nowMs());
    facts.decisionMs += performance.now() - beforeMs;
    if (decode === null) {
      this.closeWith("failed", noWorker("no_decode_worker"));
      return false;
    }
    facts.decision = { ...facts.decision, decode };
    legs.begin("decode", decode.worker);
    sender.decodeChosen(decode.worker);
    return true;
  }

  // What workers do ----------------------------------------------------------------------------------------

  onUpstreamHeaders(leg: Leg, status: number, rawHeaders: readonly (Buffer | string)[]): void {
    if (this.closed) return;
    const state = this.legs[leg]!;
    state.heardMs = this.core.timers.nowMs();
    state.status = status;
    if (status >= 500) state.verdict = "faulty";
    state.rawHeaders = rawHeaders;
    this.core.router.onHeaders(this.facts.id, leg, this.core.nowMs());
    if (this.retries.triesAgain(leg, legFailure(status, rawHeaders))) return;
    if (leg === "decode") {
      this.reply.start(status, rawHeaders, this.ownHeaders(), status < 300 ? this.sender.rewriting : null);
    }
  }

  onUpstreamData(leg: Leg, chunk: Buffer): boolean {
    if (this.closed) return true;
    this.legs[leg]!.heardMs = this.core.timers.nowMs();
    if (leg === "prefill") {
      this.prefillReply.push(chunk);
      this.prefillReplyBytes += chunk.length;
      if (this.prefillReplyBytes > PREFILL_REPLY_BYTES_MAX) {
        this.legs.prefill!.verdict = "faulty";
        this.closeWith("failed", badGateway("prefill", "its answer is too long"), "prefill");
      }
      return true;
    }
    const nowMs = this.core.nowMs();
    const { status } = this.legs.decode!;
    if (!this.hasFirstToken && status < 300) {
      this.hasFirstToken = true;
      this.facts.firstByteMs = nowMs;
      this.core.router.onFirstToken(this.facts.id, nowMs);
    }
    for (const observer of this.core.observers) observer.onAnswer?.(this.facts, status, chunk, nowMs);
    if (this.reply.data(chunk)) return true;
    this.pauseUntilDrain();
    return false;
  }

  onUpstreamEnd(leg: Leg): void {
    if (this.closed) return;
    const state = this.legs[leg]!;
    if (state.status < 500) state.verdict = "sound";
    if (leg === "prefill") {
      this.guard(() => {
        this.onPrefillReply();
      });
    } else {
      this.endLeg("decode", outcomeOf(state.status));
      this.reply.end();
      // What the client has not taken yet is still its affair.
      this.pausedMs ??= this.core.timers.nowMs();
    }
  }

  onUpstreamError(leg: Leg, error: Error): void {
    if (this.closed) return;
    const state = this.legs[leg]!;
    state.verdict = "faulty";
    const isUnsent = isConnectFailure(error);
    if (isUnsent) this.core.roster.onConnectFailure(state.ticket.worker);
    if (
      this.retries.triesAgain(leg, { outcome: "failed", isUnstarted: isUnsent, isUnsent, retryAfterMs: null })
    )
      return;
    if (this.reply.isEnded) this.endLeg(leg, "failed");
    else this.closeWith("failed", badGateway(leg, errorCode(error)), leg);
  }

  private onPrefillReply(): void {
    const { status, rawHeaders } = this.legs.prefill!;
    const reply = Buffer.concat(this.prefillReply);
    this.prefillReply = [];
    this.prefillReplyBytes = 0;
    if (status < 300) {
      this.sender.prefilled(reply);
      this.endLeg("prefill", "completed");
      if (!this.closed && this.legs.decode?.call == null) this.continueWithDecode(reply);
    } else if (this.reply.isEnded) this.endLeg("prefill", outcomeOf(status));
    else if (this.reply.hasBegun) {
      this.closeWith(
        outcomeOf(status),
        badGateway("prefill", `it answered with status ${status}`),
        "prefill",
      );
    } else {
      // The prefill worker speaks for both: its status, headers and error reach the client as they are.
      this.close(outcomeOf(status), status, "prefill");
      this.reply.start(status, rawHeaders, this.ownHeaders(), null);
      this.reply.data(reply);
      this.reply.end();
    }
  }

  private continueWithDecode(reply: Buffer): void {
    if (this.facts.decision.decode === null && !this.chooseLateDecode()) return;
    this.sender.sendDecode(reply);
  }

  private pauseUntilDrain(): void {
    if (this.pausedMs !== null) return;
    this.pausedMs = this.core.timers.nowMs();
    this.arrived.res.once("drain", () => {
      this.pausedMs = null;
      const { decode } = this.legs;
      decode!.heardMs = this.core.timers.nowMs();
      decode!.call!.resume();
    });
  }

  // What takes too long ------------------------------------------------------------------------------------

  get pace(): Pace {
    return {
      arrivedMs: this.arrived.arrivedMs,
      bodyMs: null,
      pausedMs: this.pausedMs,
      legs: this.routed === null || this.closed ? [] : this.legs.underWay,
    };
  }

  onOverdue(overdue: Overdue): void {
    switch (overdue.what) {
      case "body":
        break;
      case "slow_reader":
        this.arrived.res.destroy();
        break;
      case "request":
        if (this.closed) this.arrived.res.destroy();
        else this.closeWith("failed", gatewayTimeout("the request took too long (--request-timeout-secs)"));
        break;
      case "worker":
        this.onSilence(overdue.leg);
        break;
      case "removed_worker":
        this.onWorkerGone(overdue.leg);
    }
  }

  /** A worker that was removed has had its time. It is not to blame. */
  private onWorkerGone(leg: Leg): void {
    const isUnsent = this.legs[leg]!.call === null;
    const failure = { outcome: "failed", isUnstarted: isUnsent, isUnsent, retryAfterMs: null } as const;
    if (!this.retries.triesAgain(leg, failure)) this.closeWith("failed", removedWorker(leg), leg);
  }

  /** A worker has said nothing for too long: as good as a broken connection. */
  private onSilence(leg: Leg): void {
    this.legs[leg]!.verdict = "faulty";
    const failure: LegFailure = {
      outcome: "failed",
      isUnstarted: false,
      isUnsent: false,
      retryAfterMs: null,
    };
    if (this.retries.triesAgain(leg, failure)) return;
    this.closeWith("failed", gatewayTimeout(`the ${leg} worker was silent for too long`), leg);
  }

  // How it ends --------------------------------------------------------------------------------------------

  private endLeg(leg: Leg, outcome: LegOutcome): void {
    this.legs.end(leg, outcome);
    if (this.core.router.isOpen(this.facts.id)) return;
    this.closed = true;
    if (this.arrived.res.closed) this.core.limits.forget(this);
    const { status } = this.legs.decode!;
    this.tellEnd(outcomeOf(status), status);
  }

  /**
   * Ends what is open. Nothing happens the second time.
   *
   * @param culprit The leg that came to `outcome`, where it was one; the other is cancelled.
   */
  private close(outcome: LegOutcome, status: number, culprit: Leg | null = null): void {
    if (this.closed) return;
    this.closed = true;
    this.retries.cancel();
    if (this.arrived.res.closed) this.core.limits.forget(this);
    if (this.routed === null) return;
    this.legs.endAll(outcome, culprit);
    this.tellEnd(outcome, status);
  }

  closeWith(outcome: LegOutcome, error: ProxyError, culprit: Leg | null = null): void {
    this.close(outcome, error.status, culprit);
    this.reply.fail(error, this.ownHeaders());
  }

  private tellEnd(outcome: LegOutcome, status: number): void {
    const nowMs = this.core.nowMs();
    for (const observer of this.core.observers) observer.onEnd?.(this.facts, outcome, status, nowMs);
  }

  private ownHeaders(): FlatHeaders {
    const headers = ["x-request-id", this.arrived.requestId];
    if (this.routed === null) return headers;
    return [...headers, ...explanationHeaders(this.arrived.req.rawHeaders, this.facts, this.core.workers)];
  }
}
