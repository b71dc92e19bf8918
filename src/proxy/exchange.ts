import type { IncomingMessage, ServerResponse } from "node:http";
import type { Leg, LegOutcome, RouteDecision, RoutingRequest } from "../routing/types.js";
import { answerRewriting } from "./answer-rewriting.js";
import { ClientReply, type Rewriting } from "./client-reply.js";
import { drawRoom, type ProxyCore, type RequestFacts } from "./core.js";
import type { LegContext } from "./dialects/dialect.js";
import {
  badGateway,
  badRequest,
  errorCode,
  gatewayTimeout,
  internalError,
  noWorker,
  outcomeOf,
  payloadTooLarge,
  requestTimeout,
  tooManyRequests,
  type ProxyError,
} from "./error-body.js";
import { explanationHeaders } from "./explanation.js";
import type { GenerationApi, JsonObject } from "./generation-api.js";
import { clientRequestId, newRequestId, type FlatHeaders } from "./headers.js";
import { parseObject, readBody } from "./request-body.js";
import { RequestLegs } from "./request-legs.js";
import { legFailure, retryScope, type LegFailure, type RetryScope } from "./retries/leg-failure.js";
import type { Applicant } from "./limits/admission-queue.js";
import type { Watched } from "./limits/limits.js";
import type { Overdue, Pace } from "./limits/pace.js";
import { RetryPlan } from "./retries/retry-plan.js";
import { generationRequest, otherRequest } from "./routing-request.js";
import { isConnectFailure, type UpstreamEvents } from "./upstream-call.js";
import { CachedTokens } from "./usage.js";

/** As vLLM has it: lower is more urgent. */
function priorityOf(body: JsonObject | null): number {
  const priority = body?.["priority"];
  return Number.isInteger(priority) ? (priority as number) : 0;
}

/** A prefill reply is one token and a handle. */
const PREFILL_REPLY_BYTES_MAX = 64 << 20;
/** What nginx logs for a client that closed its connection. */
const CLIENT_CLOSED = 499;

/**
 * One request that the routing core decides on, from its arrival to the end of its last leg.
 *
 * As long as the client has seen nothing, a leg that fails may be tried on another worker. Whatever happens,
 * after `closed` no event of a worker, client or timer is looked at.
 */
export class Exchange implements UpstreamEvents, Watched {
  private readonly core: ProxyCore;
  private readonly req: IncomingMessage;
  private readonly res: ServerResponse;
  private readonly reply: ClientReply;
  private readonly api: GenerationApi | null;
  private readonly path: string;
  private readonly requestId: string;
  private readonly plan: RetryPlan;

  private body: Buffer = Buffer.alloc(0);
  private json: JsonObject | null = null;
  private readonly arrivedMs: number;
  /** When the last piece of the body came; null = it is complete. */
  private bodyMs: number | null;
  private pausedMs: number | null = null;
  /** Leaves the queue, or gives the place back. */
  private leave: ((nowMs: number) => void) | null = null;
  private facts: RequestFacts | null = null;
  private legs!: RequestLegs;
  private context: LegContext | null = null;
  private isConcurrent = false;
  private closed = false;
  private hasFirstToken = false;
  private prefillReply: Buffer[] = [];
  private prefillReplyBytes = 0;
  /** The prefill reply, for a decode leg that is tried again. */
  private keptReply: Buffer | null = null;
  /** Takes back the retry that is waiting. */
  private cancelRetry: (() => void) | null = null;
  private readonly cachedTokens = new CachedTokens();
  /** What is done to the decode worker's answer; null = nothing. */
  private rewriting: Rewriting | null = null;

  /** @param path Path of the request, without its query. */
  constructor(
    core: ProxyCore,
    req: IncomingMessage,
    res: ServerResponse,
    api: GenerationApi | null,
    path: string,
  ) {
    this.core = core;
    this.req = req;
    this.res = res;
    this.reply = new ClientReply(res);
    this.api = api;
    this.path = path;
    this.requestId = clientRequestId(req.rawHeaders) ?? newRequestId();
    this.plan = new RetryPlan(core.roster.settings.retries);
    this.arrivedMs = core.timers.nowMs();
    this.bodyMs = this.arrivedMs;
  }

  begin(): void {
    this.core.limits.watch(this);
    this.res.on("close", () => {
      this.pausedMs = null;
      this.onClientClose();
      this.leave?.(this.core.timers.nowMs());
      if (this.closed || this.facts === null) this.core.limits.forget(this);
    });
    this.req.on("data", () => {
      this.bodyMs = this.core.timers.nowMs();
    });
    readBody(this.req, this.core.maxPayloadBytes, (body) => {
      this.bodyMs = null;
      if (this.reply.isEnded) return;
      if (body === null) this.refuse(payloadTooLarge(this.core.maxPayloadBytes), ["connection", "close"]);
      else {
        this.guard(() => {
          this.onBody(body);
        });
      }
    });
  }

  /** A defect of the proxy ends this request, and no other. */
  private guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.core.onDefect(error);
      this.closeWith("failed", internalError());
    }
  }

  private onBody(body: Buffer): void {
    this.body = body;
    if (this.api !== null) {
      const parsed = parseObject(body);
      if (typeof parsed === "string") {
        this.refuse(badRequest(parsed));
        return;
      }
      this.json = parsed;
    }
    this.enter();
  }

  /** Waits for a place. */
  private enter(): void {
    const { limits, retries, timers } = this.core;
    const priority = priorityOf(this.json);
    const applicant: Applicant = {
      priority,
      admit: () => {
        if (this.closed) return;
        retries.onRequest();
        this.guard(() => {
          this.route();
        });
      },
      refuse: (reason) => {
        limits.onRefused(reason);
        if (this.closed) return;
        if (reason === "timeout")
          this.refuse(requestTimeout("no place was free in time (--queue-timeout-secs)"));
        else this.refuse(tooManyRequests(), ["retry-after", String(limits.admission.retryAfterS())]);
      },
    };
    this.leave = limits.admission.enter(applicant, timers.nowMs());
  }

  private route(): void {
    const { core } = this;
    const receivedMs = core.nowMs();
    const request = this.routingRequest();
    core.roster.refresh();
    const beforeMs = performance.now();
    const decision = core.router.route(request, receivedMs);
    const decisionMs = performance.now() - beforeMs;
    if (decision.path === "rejected" && this.waitsForWorker(decision)) return;
    this.facts = {
      id: request.id,
      requestId: this.requestId,
      path: this.path,
      api: this.api,
      receivedMs,
      promptTokens: request.promptTokens,
      sessionKey: request.sessionKey,
      priority: request.priority,
      firstByteMs: null,
      decision,
      decisionMs,
    };
    this.legs = new RequestLegs(core, this.req, this.facts);
    core.tracing?.begin(this.facts, this.req.rawHeaders);
    for (const observer of core.observers) observer.onRouted?.(this.facts, request, decisionMs);
    if (decision.path === "rejected") this.closeWith("failed", noWorker(decision.branch));
    else {
      if (decision.prefill !== null) this.legs.begin("prefill", decision.prefill.worker);
      if (decision.decode !== null) this.legs.begin("decode", decision.decode.worker);
      this.sendLegs(decision);
    }
  }

  private routingRequest(): RoutingRequest {
    const { rawHeaders } = this.req;
    return this.api === null || this.json === null
      ? otherRequest(this.core, rawHeaders)
      : generationRequest(this.core, this.api, this.json, rawHeaders);
  }

  /** Sends what can be sent now. */
  private sendLegs({ prefill, decode }: RouteDecision): void {
    const { dialect, workers } = this.core;
    if (prefill === null) {
      this.context = null;
      this.rewriting = null;
      this.send("decode", this.body);
      return;
    }
    this.context = {
      api: this.api!,
      body: this.body,
      json: this.json!,
      requestId: this.attemptId(),
      prefill: workers[prefill.worker]!,
      decode: decode === null ? null : workers[decode.worker]!,
      room: drawRoom(),
    };
    this.isConcurrent = dialect.handoff(this.context) === "concurrent";
    this.send("prefill", dialect.prefillBody(this.context));
    if (this.isConcurrent) this.sendDecode(null);
  }

  private sendDecode(reply: Buffer | null): void {
    const { body, firstToken } = this.core.dialect.decodeLeg(this.context!, reply);
    this.rewriting = answerRewriting(this.cachedTokens, firstToken);
    this.send("decode", body);
  }

  private send(leg: Leg, body: Buffer): void {
    const requestId = this.context?.requestId ?? this.attemptId();
    this.legs.send(leg, { body, requestId, readsAnswer: this.context !== null }, this);
  }

  /** The request's id for workers: another one for every attempt, since an engine may still know the last. */
  private attemptId(): string {
    const { attempts } = this.plan;
    return attempts === 1 ? this.requestId : `${this.requestId}-${attempts}`;
  }

  // What workers do ----------------------------------------------------------------------------------------

  onUpstreamHeaders(leg: Leg, status: number, rawHeaders: readonly (Buffer | string)[]): void {
    if (this.closed) return;
    const state = this.legs[leg]!;
    state.heardMs = this.core.timers.nowMs();
    state.status = status;
    if (status >= 500) state.verdict = "faulty";
    state.rawHeaders = rawHeaders;
    this.core.router.onHeaders(this.facts!.id, leg, this.core.nowMs());
    if (this.triesAgain(leg, legFailure(status, rawHeaders))) return;
    if (leg === "decode") {
      this.reply.start(status, rawHeaders, this.ownHeaders(), status < 300 ? this.rewriting : null);
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
      this.facts!.firstByteMs = nowMs;
      this.core.router.onFirstToken(this.facts!.id, nowMs);
    }
    for (const observer of this.core.observers) observer.onAnswer?.(this.facts!, status, chunk, nowMs);
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
    if (this.triesAgain(leg, { outcome: "failed", isUnstarted: isUnsent, isUnsent, retryAfterMs: null }))
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
      this.cachedTokens.learn(reply);
      this.core.dialect.learn?.(this.context!, reply);
      this.keptReply = reply;
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
    if (this.facts!.decision.decode === null && !this.chooseLateDecode()) return;
    this.sendDecode(reply);
  }

  /** Chooses the decode worker under the order `late_decode`. @returns false when there is none */
  private chooseLateDecode(): boolean {
    const facts = this.facts!;
    this.core.roster.refresh();
    const beforeMs = performance.now();
    const decode = this.core.router.routeDecode(facts.id, this.core.nowMs());
    facts.decisionMs += performance.now() - beforeMs;
    if (decode === null) {
      this.closeWith("failed", noWorker("no_decode_worker"));
      return false;
    }
    facts.decision = { ...facts.decision, decode };
    this.legs.begin("decode", decode.worker);
    if (this.context !== null) this.context = { ...this.context, decode: this.core.workers[decode.worker]! };
    return true;
  }

  private pauseUntilDrain(): void {
    if (this.pausedMs !== null) return;
    this.pausedMs = this.core.timers.nowMs();
    this.res.once("drain", () => {
      this.pausedMs = null;
      const { decode } = this.legs;
      decode!.heardMs = this.core.timers.nowMs();
      decode!.call!.resume();
    });
  }

  // What takes too long ------------------------------------------------------------------------------------

  get pace(): Pace {
    const { arrivedMs, bodyMs, pausedMs } = this;
    return {
      arrivedMs,
      bodyMs,
      pausedMs,
      legs: this.facts === null || this.closed ? [] : this.legs.underWay,
    };
  }

  onOverdue(overdue: Overdue): void {
    switch (overdue.what) {
      case "body":
        this.bodyMs = null;
        this.refuse(requestTimeout("the request body came too slowly"), ["connection", "close"]);
        break;
      case "slow_reader":
        this.res.destroy();
        break;
      case "request":
        if (this.closed) this.res.destroy();
        else this.closeWith("failed", gatewayTimeout("the request took too long (--request-timeout-secs)"));
        break;
      case "worker":
        this.onSilence(overdue.leg);
    }
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
    if (this.triesAgain(leg, failure)) return;
    this.closeWith("failed", gatewayTimeout(`the ${leg} worker was silent for too long`), leg);
  }

  // Trying again -------------------------------------------------------------------------------------------

  /** Nobody takes the request: whether it waits for somebody. */
  private waitsForWorker({ branch }: RouteDecision): boolean {
    const isLack = branch === "no_decode_worker" || branch === "no_prefill_worker";
    const waitMs = isLack ? this.core.retries.take(this.plan, true) : null;
    if (waitMs === null) return false;
    this.tryLater(waitMs, () => {
      this.route();
    });
    return true;
  }

  /** A leg has failed: whether it is tried again. The leg is then out of the book. */
  private triesAgain(leg: Leg, failure: LegFailure | null): boolean {
    if (failure === null || this.reply.hasBegun || this.reply.isEnded) return false;
    // What an engine does with its own routes, or stores, may be done twice only if it has not begun.
    const isRepeatable = this.api !== null && this.facts!.decision.branch !== "stored_response";
    if (!isRepeatable && !failure.isUnsent) return false;
    const { plan } = this;
    plan.onFailure(this.legs[leg]!.ticket.worker, failure.retryAfterMs, this.core.timers.nowMs());
    const waitMs = this.core.retries.take(plan, this.hasOther(leg));
    if (waitMs === null) {
      if (plan.isExhausted) for (const each of this.core.observers) each.onRetriesExhausted?.(this.facts!);
      return false;
    }
    const { prefill, decode } = this.legs;
    const scope = retryScope(leg, failure, {
      hasPrefill: this.context !== null,
      hasHandle: prefill?.hasEnded === true && !this.isConcurrent && !this.core.dialect.needsDecodeFirst,
      decodeIsSent: decode?.call != null,
    });
    this.legs.giveUp(leg, failure.outcome);
    if (scope === "both")
      for (const each of ["prefill", "decode"] as const) this.legs.giveUp(each, "cancelled");
    for (const observer of this.core.observers) observer.onRetry?.(this.facts!, plan.attempts - 1, waitMs);
    this.tryLater(waitMs, () => {
      this.tryAgain(scope);
    });
    return true;
  }

  private tryLater(waitMs: number, step: () => void): void {
    this.cancelRetry = this.core.timers.after(waitMs, () => {
      this.cancelRetry = null;
      this.guard(step);
    });
  }

  /** Whether a worker takes requests that has not failed this one, or the leg can be done without. */
  private hasOther(leg: Leg): boolean {
    const excluded = this.plan.excluded(this.core.timers.nowMs());
    if (this.core.roster.available(leg).some((worker) => !excluded.includes(worker))) return true;
    return leg === "prefill" && this.core.withoutPrefillWorker === "decode_only";
  }

  private tryAgain(scope: RetryScope): void {
    const { core } = this;
    const facts = this.facts!;
    core.roster.refresh();
    const request = { ...this.routingRequest(), id: facts.id };
    const excluded = this.plan.excluded(core.timers.nowMs());
    const reroute = (leg: Leg) => core.router.rerouteLeg(request, leg, "retryable", core.nowMs(), excluded);
    let { prefill, decode } = facts.decision;
    if (scope !== "decode") prefill = reroute("prefill");
    if (scope !== "prefill") decode = reroute("decode");
    if (scope !== "prefill" && decode === null) {
      this.closeWith("failed", noWorker("no_decode_worker"));
      return;
    }
    facts.decision = { ...facts.decision, prefill, decode };
    if (scope !== "decode" && prefill !== null) this.legs.begin("prefill", prefill.worker);
    if (scope !== "prefill") this.legs.begin("decode", decode!.worker);
    if (scope !== "decode" && prefill === null) this.goOnWithoutPrefill();
    else if (scope === "decode" && prefill !== null) {
      this.context = { ...this.context!, decode: core.workers[decode!.worker]! };
      this.sendDecode(this.keptReply);
    } else this.sendLegs(facts.decision);
  }

  /** No prefill worker is left. */
  private goOnWithoutPrefill(): void {
    const facts = this.facts!;
    const branch = "no_prefill_worker";
    facts.decision = { ...facts.decision, path: "decode_only", branch };
    this.context = null;
    if (this.core.withoutPrefillWorker === "reject") this.closeWith("failed", noWorker(branch));
    else if (facts.decision.decode !== null || this.chooseLateDecode()) this.sendLegs(facts.decision);
  }

  // How it ends --------------------------------------------------------------------------------------------

  private onClientClose(): void {
    if (!this.res.writableFinished) this.close("cancelled", CLIENT_CLOSED);
  }

  private endLeg(leg: Leg, outcome: LegOutcome): void {
    this.legs.end(leg, outcome);
    if (this.core.router.isOpen(this.facts!.id)) return;
    this.closed = true;
    if (this.res.closed) this.core.limits.forget(this);
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
    this.cancelRetry?.();
    if (this.res.closed) this.core.limits.forget(this);
    if (this.facts === null) return;
    this.legs.endAll(outcome, culprit);
    this.tellEnd(outcome, status);
  }

  private closeWith(outcome: LegOutcome, error: ProxyError, culprit: Leg | null = null): void {
    this.close(outcome, error.status, culprit);
    this.reply.fail(error, this.ownHeaders());
  }

  /** Answers a request that has not reached the core. */
  private refuse(error: ProxyError, headers: FlatHeaders = []): void {
    this.reply.fail(error, [...headers, "x-request-id", this.requestId]);
  }

  private tellEnd(outcome: LegOutcome, status: number): void {
    const nowMs = this.core.nowMs();
    for (const observer of this.core.observers) observer.onEnd?.(this.facts!, outcome, status, nowMs);
  }

  private ownHeaders(): FlatHeaders {
    const headers = ["x-request-id", this.requestId];
    if (this.facts === null) return headers;
    return [...headers, ...explanationHeaders(this.req.rawHeaders, this.facts, this.core.workers)];
  }
}
