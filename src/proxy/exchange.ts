import type { IncomingMessage, ServerResponse } from "node:http";
import type { Leg, LegOutcome, RouteDecision } from "../routing/types.js";
import { answerRewriting } from "./answer-rewriting.js";
import { ClientReply, type Rewriting } from "./client-reply.js";
import { drawRoom, type ProxyCore, type ProxyWorker, type RequestFacts } from "./core.js";
import type { LegContext } from "./dialects/dialect.js";
import {
  badGateway,
  badRequest,
  errorCode,
  internalError,
  noWorker,
  outcomeOf,
  payloadTooLarge,
  type ProxyError,
} from "./error-body.js";
import { explanationHeaders } from "./explanation.js";
import type { GenerationApi, JsonObject } from "./generation-api.js";
import { clientRequestId, headersToWorker, newRequestId, type FlatHeaders } from "./headers.js";
import { parseObject, readBody } from "./request-body.js";
import { generationRequest, otherRequest } from "./routing-request.js";
import { isConnectFailure, UpstreamCall, type UpstreamEvents } from "./upstream-call.js";
import { CachedTokens } from "./usage.js";
import type { Verdict } from "./workers/circuit-breaker.js";
import type { LegTicket } from "./workers/worker-roster.js";

/** A prefill reply is one token and a handle. */
const PREFILL_REPLY_BYTES_MAX = 64 << 20;
/** What nginx logs for a client that closed its connection. */
const CLIENT_CLOSED = 499;

/** One leg, from the choice of its worker. */
interface LegState {
  readonly ticket: LegTicket;
  /** Null: not sent yet. */
  call: UpstreamCall | null;
  hasEnded: boolean;
  /** What its end says of the worker. */
  verdict: Verdict;
  status: number;
  rawHeaders: readonly (Buffer | string)[];
}

/**
 * One request that the routing core decides on, from its arrival to the end of its last leg.
 *
 * Whatever happens, the core hears of the end of every leg exactly once: `openLegs` counts the legs that are
 * in its book, and after `closed` no event of a worker or client is looked at.
 */
export class Exchange implements UpstreamEvents {
  private readonly core: ProxyCore;
  private readonly req: IncomingMessage;
  private readonly res: ServerResponse;
  private readonly reply: ClientReply;
  private readonly api: GenerationApi | null;
  private readonly path: string;
  private readonly requestId: string;

  private body: Buffer = Buffer.alloc(0);
  private facts: RequestFacts | null = null;
  private context: LegContext | null = null;
  private readonly legs: Record<Leg, LegState | null> = { prefill: null, decode: null };
  private openLegs = 0;
  private closed = false;
  private hasFirstToken = false;
  private waitsForDrain = false;
  private prefillReply: Buffer[] = [];
  private prefillReplyBytes = 0;
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
  }

  begin(): void {
    this.res.on("close", () => {
      this.onClientClose();
    });
    readBody(this.req, this.core.maxPayloadBytes, (body) => {
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
    let json: JsonObject | null = null;
    if (this.api !== null) {
      const parsed = parseObject(body);
      if (typeof parsed === "string") {
        this.refuse(badRequest(parsed));
        return;
      }
      json = parsed;
    }
    this.route(json);
  }

  private route(json: JsonObject | null): void {
    const { core, api } = this;
    const receivedMs = core.nowMs();
    const { rawHeaders } = this.req;
    const request =
      api === null || json === null
        ? otherRequest(core, rawHeaders)
        : generationRequest(core, api, json, rawHeaders);
    core.roster.refresh();
    const beforeMs = performance.now();
    const decision = core.router.route(request, receivedMs);
    const decisionMs = performance.now() - beforeMs;
    this.facts = {
      id: request.id,
      requestId: this.requestId,
      path: this.path,
      api,
      receivedMs,
      promptTokens: request.promptTokens,
      sessionKey: request.sessionKey,
      priority: request.priority,
      firstByteMs: null,
      decision,
    };
    core.tracing?.begin(this.facts, rawHeaders);
    for (const observer of core.observers) observer.onRouted?.(this.facts, request, decisionMs);
    if (decision.path === "rejected") {
      this.closeWith("failed", noWorker(decision.branch));
      return;
    }
    this.openLegs = decision.path === "disaggregated" ? 2 : 1;
    if (decision.prefill !== null) this.begins("prefill", decision.prefill.worker);
    if (decision.decode !== null) this.begins("decode", decision.decode.worker);
    if (decision.prefill === null) this.send("decode", this.body);
    else this.disaggregate(json!, decision);
  }

  private disaggregate(json: JsonObject, { prefill, decode }: RouteDecision): void {
    const { dialect, workers } = this.core;
    const context: LegContext = {
      api: this.api!,
      body: this.body,
      json,
      requestId: this.requestId,
      prefill: workers[prefill!.worker]!,
      decode: decode === null ? null : workers[decode.worker]!,
      room: drawRoom(),
    };
    this.context = context;
    const isConcurrent = dialect.handoff(context) === "concurrent";
    this.send("prefill", dialect.prefillBody(context));
    if (isConcurrent) this.sendDecode(null);
  }

  private sendDecode(reply: Buffer | null): void {
    const { body, firstToken } = this.core.dialect.decodeLeg(this.context!, reply);
    this.rewriting = answerRewriting(this.cachedTokens, firstToken);
    this.send("decode", body);
  }

  /** A worker has been chosen for a leg. */
  private begins(leg: Leg, worker: number): void {
    const ticket = this.core.roster.onLeg(worker);
    this.legs[leg] = { ticket, call: null, hasEnded: false, verdict: "unknown", status: 0, rawHeaders: [] };
  }

  private send(leg: Leg, body: Buffer): void {
    const state = this.legs[leg]!;
    const { worker: index } = state.ticket;
    const worker: ProxyWorker = this.core.workers[index]!;
    const call = new UpstreamCall(leg, this);
    state.call = call;
    const traceparent = this.core.tracing?.beginLeg(this.facts!, leg, worker) ?? null;
    for (const observer of this.core.observers) observer.onLegSent?.(this.facts!, leg, index);
    this.core.router.onDispatched(this.facts!.id, leg, this.core.nowMs());
    worker.pool.dispatch(
      {
        path: worker.basePath + this.req.url!,
        method: this.req.method!,
        headers: headersToWorker(this.req.rawHeaders, {
          requestId: this.requestId,
          rank: worker.rank,
          readsAnswer: this.context !== null,
          traceparent,
        }),
        body,
      },
      call,
    );
  }

  // What workers do ----------------------------------------------------------------------------------------

  onUpstreamHeaders(leg: Leg, status: number, rawHeaders: readonly (Buffer | string)[]): void {
    if (this.closed) return;
    const state = this.legs[leg]!;
    state.status = status;
    if (status >= 500) state.verdict = "faulty";
    state.rawHeaders = rawHeaders;
    this.core.router.onHeaders(this.facts!.id, leg, this.core.nowMs());
    if (leg === "decode") {
      this.reply.start(status, rawHeaders, this.ownHeaders(), status < 300 ? this.rewriting : null);
    }
  }

  onUpstreamData(leg: Leg, chunk: Buffer): boolean {
    if (this.closed) return true;
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
    }
  }

  onUpstreamError(leg: Leg, error: Error): void {
    if (this.closed) return;
    const state = this.legs[leg]!;
    state.verdict = "faulty";
    if (isConnectFailure(error)) this.core.roster.onConnectFailure(state.ticket.worker);
    if (this.reply.isEnded) this.endLeg(leg, "failed");
    else this.closeWith("failed", badGateway(leg, errorCode(error)), leg);
  }

  private onPrefillReply(): void {
    const { status, rawHeaders } = this.legs.prefill!;
    const reply = Buffer.concat(this.prefillReply);
    this.prefillReply = [];
    if (status < 300) {
      this.cachedTokens.learn(reply);
      this.core.dialect.learn?.(this.context!, reply);
      this.endLeg("prefill", "completed");
      if (this.legs.decode?.call == null) this.continueWithDecode(reply);
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
    const facts = this.facts!;
    if (facts.decision.decode === null) {
      this.core.roster.refresh();
      const decode = this.core.router.routeDecode(facts.id, this.core.nowMs());
      if (decode === null) {
        this.closeWith("failed", noWorker("no_decode_worker"));
        return;
      }
      facts.decision = { ...facts.decision, decode };
      this.begins("decode", decode.worker);
      this.context = { ...this.context!, decode: this.core.workers[decode.worker]! };
    }
    this.sendDecode(reply);
  }

  private pauseUntilDrain(): void {
    if (this.waitsForDrain) return;
    this.waitsForDrain = true;
    this.res.once("drain", () => {
      this.waitsForDrain = false;
      this.legs.decode!.call!.resume();
    });
  }

  // How it ends --------------------------------------------------------------------------------------------

  private onClientClose(): void {
    if (!this.res.writableFinished) this.close("cancelled", CLIENT_CLOSED);
  }

  private endLeg(leg: Leg, outcome: LegOutcome): void {
    const nowMs = this.core.nowMs();
    this.core.router.onLegEnd(this.facts!.id, leg, outcome, nowMs);
    this.tellLegEnd(leg, outcome);
    this.openLegs--;
    if (this.openLegs > 0) return;
    this.closed = true;
    this.tellEnd(outcomeOf(this.legs.decode!.status), this.legs.decode!.status, nowMs);
  }

  /**
   * Ends what is open: calls are cut, legs leave the book. Nothing happens the second time.
   *
   * @param culprit The leg that came to `outcome`, where it was one; the other is cancelled.
   */
  private close(outcome: LegOutcome, status: number, culprit: Leg | null = null): void {
    if (this.closed || this.facts === null) return;
    this.closed = true;
    this.legs.prefill?.call?.abort();
    this.legs.decode?.call?.abort();
    const nowMs = this.core.nowMs();
    if (this.openLegs > 0) this.core.router.onRequestEnd(this.facts.id, outcome, nowMs);
    this.openLegs = 0;
    for (const leg of ["prefill", "decode"] as const) {
      this.tellLegEnd(leg, leg === culprit ? outcome : "cancelled");
    }
    this.tellEnd(outcome, status, nowMs);
  }

  private closeWith(outcome: LegOutcome, error: ProxyError, culprit: Leg | null = null): void {
    this.close(outcome, error.status, culprit);
    this.reply.fail(error, this.ownHeaders());
  }

  /** Answers a request that has not reached the core. */
  private refuse(error: ProxyError, headers: FlatHeaders = []): void {
    this.reply.fail(error, [...headers, "x-request-id", this.requestId]);
  }

  private tellLegEnd(leg: Leg, outcome: LegOutcome): void {
    const state = this.legs[leg];
    if (state === null || state.hasEnded) return;
    state.hasEnded = true;
    this.core.roster.onLegEnd(state.ticket, state.verdict);
    if (state.call === null) return;
    const { worker } = state.ticket;
    for (const observer of this.core.observers) observer.onLegEnd?.(this.facts!, leg, worker, outcome);
  }

  private tellEnd(outcome: LegOutcome, status: number, nowMs: number): void {
    for (const observer of this.core.observers) observer.onEnd?.(this.facts!, outcome, status, nowMs);
  }

  private ownHeaders(): FlatHeaders {
    const headers = ["x-request-id", this.requestId];
    if (this.facts === null) return headers;
    return [...headers, ...explanationHeaders(this.req.rawHeaders, this.facts.decision, this.core.workers)];
  }
}
