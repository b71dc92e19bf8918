import type { ItemRandom } from "../values/random.js";
import { BranchCounts } from "./branch-counts.js";
import type { Leg, LegDecision, LedgerView, Policy, PolicyContext, RoutingRequest, Worker } from "./types.js";

/** Which workers a choice is limited to. */
export type Acceptance = (worker: Worker) => boolean;

/** What a leg chooser is made from. */
export interface LegChooserParts {
  readonly leg: Leg;
  readonly workers: readonly Worker[];
  readonly policy: Policy;
  readonly ledger: LedgerView;
  readonly random: ItemRandom;
  /** False: the leg's policy never sees a session key. */
  readonly seesSessionKey: boolean;
}

/** Chooses the worker of one leg: keeps its healthy workers and asks its policy. */
export class LegChooser {
  readonly leg: Leg;
  private healthyWorkers: readonly Worker[] = [];
  private current: Policy;
  private seesSessionKey: boolean;
  private readonly context: Context;
  private readonly counts = new BranchCounts();

  constructor({ leg, workers, policy, ledger, random, seesSessionKey }: LegChooserParts) {
    this.leg = leg;
    this.current = policy;
    this.seesSessionKey = seesSessionKey;
    this.context = new Context(workers, ledger, random);
    this.onHealthChange();
  }

  get policy(): Policy {
    return this.current;
  }

  /** Asks another policy from now on; null = the one it has. */
  reconfigure(
    change: { readonly policy: Policy; readonly random: ItemRandom } | null,
    seesSessionKey: boolean,
  ): void {
    this.seesSessionKey = seesSessionKey;
    if (change === null) return;
    this.current = change.policy;
    this.context.random = change.random;
  }

  /** Healthy workers in fleet order. */
  get healthy(): readonly Worker[] {
    return this.healthyWorkers;
  }

  onHealthChange(): void {
    this.healthyWorkers = this.context.workers.filter(({ healthy }) => healthy);
  }

  /** Workers have come or gone. */
  setWorkers(workers: readonly Worker[]): void {
    this.context.workers = workers;
    this.policy.onWorkersChanged?.(workers);
    this.onHealthChange();
  }

  /**
   * What the policy picks of the healthy workers, or of those that `accepts` lets pass.
   *
   * @param prefillsHere See `PolicyContext.prefillsHere`.
   * @returns null when there is no such worker.
   */
  pick(
    request: RoutingRequest,
    nowMs: number,
    prefillsHere: boolean | null,
    accepts: Acceptance | null,
  ): LegDecision | null {
    const candidates = accepts === null ? this.healthyWorkers : this.healthyWorkers.filter(accepts);
    if (candidates.length === 0) return null;
    const decision = this.policy.pick(candidates, this.seen(request), this.at(request, nowMs, prefillsHere));
    return this.pinned(decision, request, candidates);
  }

  /** What each of `candidates` would cost; see `Policy.costs`, which the policy must have. */
  costs(candidates: readonly Worker[], request: RoutingRequest, nowMs: number, out: Float64Array): string {
    const context = this.at(request, nowMs, this.leg === "prefill");
    return this.policy.costs!(candidates, this.seen(request), context, out);
  }

  /** The request goes where `decision` says. */
  routed(decision: LegDecision, request: RoutingRequest, nowMs: number, prefillsHere: boolean): void {
    this.counts.add(decision.branch);
    this.policy.onRouted?.(decision, this.seen(request), nowMs, prefillsHere);
  }

  writeCounts(out: Record<string, number>): void {
    this.counts.writeTo(out, this.leg);
  }

  /** `decision`, or the worker that the request is pinned to, if that is a candidate. */
  pinned(decision: LegDecision, request: RoutingRequest, candidates: readonly Worker[]): LegDecision {
    const worker = request.pinned?.[this.leg];
    if (worker === undefined || worker === decision.worker) return decision;
    if (!candidates.some(({ index }) => index === worker)) return decision;
    return { ...decision, worker, branch: "pinned", figures: { instead_of: decision.worker } };
  }

  private seen(request: RoutingRequest): RoutingRequest {
    return this.seesSessionKey || request.sessionKey === null ? request : { ...request, sessionKey: null };
  }

  private at({ id }: RoutingRequest, nowMs: number, prefillsHere: boolean | null): PolicyContext {
    this.context.random.begin(id);
    this.context.nowMs = nowMs;
    this.context.prefillsHere = prefillsHere;
    return this.context;
  }
}

/** One per leg for the life of the router: a decision only sets what is its own. */
class Context implements PolicyContext {
  nowMs = 0;
  prefillsHere: boolean | null = null;
  workers: readonly Worker[];
  readonly ledger: LedgerView;
  random: ItemRandom;

  constructor(workers: readonly Worker[], ledger: LedgerView, random: ItemRandom) {
    this.workers = workers;
    this.ledger = ledger;
    this.random = random;
  }
}
