import type { Random } from "../values/random.js";
import { BranchCounts } from "./branch-counts.js";
import type { Ledger } from "./ledger.js";
import type { Leg, LegDecision, LedgerView, Policy, PolicyContext, RoutingRequest, Worker } from "./types.js";

/** Chooses the worker of one leg: keeps its healthy workers and asks its policy. */
export class LegChooser {
  readonly leg: Leg;
  readonly policy: Policy;
  readonly workers: readonly Worker[];
  private healthyWorkers: readonly Worker[];
  private readonly context: Context;
  private readonly counts = new BranchCounts();

  constructor(leg: Leg, workers: readonly Worker[], policy: Policy, ledger: Ledger, random: Random) {
    this.leg = leg;
    this.workers = workers;
    this.policy = policy;
    this.healthyWorkers = workers.filter(({ healthy }) => healthy);
    this.context = new Context(workers, ledger, random);
  }

  /** Healthy workers in fleet order. */
  get healthy(): readonly Worker[] {
    return this.healthyWorkers;
  }

  onHealthChange(): void {
    this.healthyWorkers = this.workers.filter(({ healthy }) => healthy);
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
    return this.policy.pick(candidates, request, this.at(nowMs, prefillsHere));
  }

  /** What each healthy worker would cost; see `Policy.costs`, which the policy must have. */
  costs(request: RoutingRequest, nowMs: number, out: Float64Array, mayBind: boolean): string {
    const context = this.at(nowMs, this.leg === "prefill");
    return this.policy.costs!(this.healthyWorkers, request, context, out, mayBind);
  }

  /** The request goes where `decision` says. */
  routed(decision: LegDecision, request: RoutingRequest, nowMs: number, prefillsHere: boolean): void {
    this.counts.add(decision.branch);
    this.policy.onRouted?.(decision, request, nowMs, prefillsHere);
  }

  writeCounts(out: Record<string, number>): void {
    this.counts.writeTo(out, this.leg);
  }

  private at(nowMs: number, prefillsHere: boolean | null): PolicyContext {
    this.context.nowMs = nowMs;
    this.context.prefillsHere = prefillsHere;
    return this.context;
  }
}

/** Which workers a choice is limited to. */
export type Acceptance = (worker: Worker) => boolean;

/** One per leg for the life of the router: a decision only sets what is its own. */
class Context implements PolicyContext {
  nowMs = 0;
  prefillsHere: boolean | null = null;
  readonly workers: readonly Worker[];
  readonly ledger: LedgerView;
  readonly random: Random;

  constructor(workers: readonly Worker[], ledger: LedgerView, random: Random) {
    this.workers = workers;
    this.ledger = ledger;
    this.random = random;
  }
}
