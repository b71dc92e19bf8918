import type { Leg, LegOutcome, RouteDecision, RoutingRequest } from "../../routing/types.js";
import type { ProxyCore, RequestFacts } from "../core.js";
import { noWorker, type ProxyError } from "../error-body.js";
import type { LegSender } from "../leg-sender.js";
import type { RequestLegs } from "../request-legs.js";
import { retryScope, type LegFailure, type RetryScope } from "./leg-failure.js";
import { RetryPlan } from "./retry-plan.js";

/** A request whose legs may be tried again, once it has been routed. */
export interface RetriedRequest {
  readonly facts: RequestFacts;
  readonly legs: RequestLegs;
  readonly sender: LegSender;
  /** The client has seen something of an answer. */
  readonly isAnswered: boolean;
  /** For the routing core, as at first. */
  routingRequest(): RoutingRequest;
  /** Does something; a defect ends the request. */
  guard(step: () => void): void;
  /** Chooses the decode worker that has not been chosen yet. @returns false when there is none */
  chooseLateDecode(): boolean;
  closeWith(outcome: LegOutcome, error: ProxyError): void;
}

/** Tries the legs of one request again, on other workers, as long as its client has seen nothing. */
export class LegRetries {
  private readonly core: ProxyCore;
  private readonly request: RetriedRequest;
  private readonly plan: RetryPlan;
  /** Takes back the retry that is waiting. */
  private cancelWaiting: (() => void) | null = null;

  constructor(core: ProxyCore, request: RetriedRequest) {
    this.core = core;
    this.request = request;
    this.plan = new RetryPlan(core.roster.settings.retries);
  }

  /** Attempts so far, the one under way included. */
  get attempts(): number {
    return this.plan.attempts;
  }

  /** The request is over. */
  cancel(): void {
    this.cancelWaiting?.();
  }

  /** Nobody takes the request: whether it waits for somebody, and is then routed again by `route`. */
  waitsForWorker({ branch }: RouteDecision, route: () => void): boolean {
    const isLack = branch === "no_decode_worker" || branch === "no_prefill_worker";
    const waitMs = isLack ? this.core.retries.take(this.plan, true) : null;
    if (waitMs === null) return false;
    this.later(waitMs, route);
    return true;
  }

  /** A leg has failed: whether it is tried again. The leg is then out of the book. */
  triesAgain(leg: Leg, failure: LegFailure | null): boolean {
    const { core, plan } = this;
    const { facts, legs, sender, isAnswered } = this.request;
    if (failure === null || isAnswered) return false;
    // What an engine does with its own routes, or stores, may be done twice only if it has not begun.
    const isRepeatable = facts.api !== null && facts.decision.branch !== "stored_response";
    if (!isRepeatable && !failure.isUnsent) return false;
    plan.onFailure(legs[leg]!.ticket.worker, failure.retryAfterMs, core.timers.nowMs());
    const waitMs = core.retries.take(plan, this.hasOther(leg));
    if (waitMs === null) {
      if (plan.isExhausted) for (const each of core.observers) each.onRetriesExhausted?.(facts);
      return false;
    }
    const scope = retryScope(leg, failure, {
      hasPrefill: sender.isDisaggregated,
      hasHandle: legs.prefill?.hasEnded === true && !sender.isConcurrent && !core.dialect.needsDecodeFirst,
      decodeIsSent: legs.decode?.call != null,
    });
    legs.giveUp(leg, failure.outcome);
    if (scope === "both") for (const each of ["prefill", "decode"] as const) legs.giveUp(each, "cancelled");
    for (const observer of core.observers) observer.onRetry?.(facts, plan.attempts - 1, waitMs);
    this.later(waitMs, () => {
      this.again(scope);
    });
    return true;
  }

  private later(waitMs: number, step: () => void): void {
    this.cancelWaiting = this.core.timers.after(waitMs, () => {
      this.cancelWaiting = null;
      this.request.guard(step);
    });
  }

  /** Whether a worker takes requests that has not failed this one, or the leg can be done without. */
  private hasOther(leg: Leg): boolean {
    const excluded = this.plan.excluded(this.core.timers.nowMs());
    const { model } = this.request.facts;
    if (this.core.roster.available(leg, model).some((worker) => !excluded.includes(worker))) return true;
    return leg === "prefill" && this.core.withoutPrefillWorker === "decode_only";
  }

  private again(scope: RetryScope): void {
    const { core } = this;
    const { facts, legs, sender } = this.request;
    core.roster.refresh();
    const request = { ...this.request.routingRequest(), id: facts.id };
    const excluded = this.plan.excluded(core.timers.nowMs());
    const reroute = (leg: Leg) => core.router.rerouteLeg(request, leg, "retryable", core.nowMs(), excluded);
    let { prefill, decode } = facts.decision;
    if (scope !== "decode") prefill = reroute("prefill");
    if (scope !== "prefill") decode = reroute("decode");
    if (scope !== "prefill" && decode === null) {
      this.request.closeWith("failed", noWorker("no_decode_worker"));
      return;
    }
    facts.decision = { ...facts.decision, prefill, decode };
    if (scope !== "decode" && prefill !== null) legs.begin("prefill", prefill.worker);
    if (scope !== "prefill") legs.begin("decode", decode!.worker);
    if (scope !== "decode" && prefill === null) this.goOnWithoutPrefill();
    else if (scope === "decode" && prefill !== null) {
      sender.decodeChosen(decode!.worker);
      sender.sendDecodeAgain();
    } else sender.begin(facts.decision, this.attempts);
  }

  /** No prefill worker is left. */
  private goOnWithoutPrefill(): void {
    const { facts, sender } = this.request;
    const branch = "no_prefill_worker";
    facts.decision = { ...facts.decision, path: "decode_only", branch };
    if (this.core.withoutPrefillWorker === "reject") this.request.closeWith("failed", noWorker(branch));
    else if (facts.decision.decode !== null || this.request.chooseLateDecode())
      sender.begin(facts.decision, this.attempts);
  }
}
