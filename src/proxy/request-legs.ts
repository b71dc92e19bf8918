import type { IncomingMessage } from "node:http";
import type { Leg, LegOutcome } from "../routing/types.js";
import type { ProxyCore, RequestFacts } from "./core.js";
import { headersToWorker } from "./headers.js";
import type { LegPace } from "./limits/pace.js";
import { UpstreamCall, type UpstreamEvents } from "./upstream-call.js";
import type { Verdict } from "./workers/circuit-breaker.js";
import type { LegTicket } from "./workers/worker-roster.js";

const LEGS = ["prefill", "decode"] as const;

/** One leg, from the choice of its worker. */
export interface LegState {
  readonly ticket: LegTicket;
  /** Null: not sent yet. */
  call: UpstreamCall | null;
  hasEnded: boolean;
  /** What its end says of the worker. */
  verdict: Verdict;
  /** When its worker was asked, or last said something; time of the connections' clock. */
  heardMs: number;
  status: number;
  rawHeaders: readonly (Buffer | string)[];
}

/** What a leg is sent with. */
export interface Sending {
  readonly body: Buffer;
  readonly requestId: string;
  /** The proxy looks into the answer. */
  readonly readsAnswer: boolean;
}

/**
 * The legs of one request. Whatever happens, routing core, roster and observers hear of the end of each leg
 * exactly once, and of its beginning before that.
 */
export class RequestLegs {
  private readonly core: ProxyCore;
  private readonly req: IncomingMessage;
  private readonly facts: RequestFacts;
  private readonly states: Record<Leg, LegState | null> = { prefill: null, decode: null };

  constructor(core: ProxyCore, req: IncomingMessage, facts: RequestFacts) {
    this.core = core;
    this.req = req;
    this.facts = facts;
  }

  get prefill(): LegState | null {
    return this.states.prefill;
  }

  get decode(): LegState | null {
    return this.states.decode;
  }

  /** Legs that have not ended. */
  get underWay(): LegPace[] {
    return LEGS.flatMap((leg) => {
      const state = this.states[leg];
      if (state === null || state.hasEnded) return [];
      const { cutMs } = this.core.workers[state.ticket.worker]!;
      return [{ leg, heardMs: state.call === null ? Infinity : state.heardMs, cutMs }];
    });
  }

  /** A worker has been chosen for a leg. */
  begin(leg: Leg, worker: number): void {
    const ticket = this.core.roster.onLeg(worker);
    const fresh = { call: null, hasEnded: false, verdict: "unknown", heardMs: 0, status: 0 } as const;
    this.states[leg] = { ...fresh, ticket, rawHeaders: [] };
  }

  send(leg: Leg, { body, requestId, readsAnswer }: Sending, events: UpstreamEvents): void {
    const { core, facts, req } = this;
    const state = this.states[leg]!;
    const { worker: index } = state.ticket;
    const worker = core.workers[index]!;
    const call = new UpstreamCall(leg, events);
    state.call = call;
    state.heardMs = core.timers.nowMs();
    const traceparent = core.tracing?.beginLeg(facts, leg, worker) ?? null;
    for (const observer of core.observers) observer.onLegSent?.(facts, leg, index);
    core.router.onDispatched(facts.id, leg, core.nowMs());
    worker.pool.dispatch(
      {
        path: worker.basePath + req.url!,
        method: req.method!,
        headers: headersToWorker(req.rawHeaders, { requestId, rank: worker.rank, readsAnswer, traceparent }),
        body,
      },
      call,
    );
  }

  /** A leg has come to its end. */
  end(leg: Leg, outcome: LegOutcome): void {
    this.core.router.onLegEnd(this.facts.id, leg, outcome, this.core.nowMs());
    this.tellEnd(leg, outcome);
  }

  /** A leg ends here, and another worker will get it; the request stays in the book until then. */
  giveUp(leg: Leg, outcome: LegOutcome): void {
    const state = this.states[leg];
    if (state === null || state.hasEnded) return;
    state.call?.abort();
    this.core.router.onLegFailed(this.facts.id, leg, outcome, this.core.nowMs());
    this.tellEnd(leg, outcome);
  }

  /**
   * Ends what is open: calls are cut, legs leave the book.
   *
   * @param culprit The leg that came to `outcome`, where it was one; the other is cancelled.
   */
  endAll(outcome: LegOutcome, culprit: Leg | null): void {
    const { router } = this.core;
    for (const leg of LEGS) this.states[leg]?.call?.abort();
    if (router.isOpen(this.facts.id)) router.onRequestEnd(this.facts.id, outcome, this.core.nowMs());
    for (const leg of LEGS) this.tellEnd(leg, leg === culprit ? outcome : "cancelled");
  }

  private tellEnd(leg: Leg, outcome: LegOutcome): void {
    const state = this.states[leg];
    if (state === null || state.hasEnded) return;
    state.hasEnded = true;
    this.core.roster.onLegEnd(state.ticket, state.verdict);
    if (state.call === null) return;
    const { worker } = state.ticket;
    for (const observer of this.core.observers) observer.onLegEnd?.(this.facts, leg, worker, outcome);
  }
}
