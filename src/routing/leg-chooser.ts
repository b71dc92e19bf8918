import type { ItemRandom } from "../values/random.js";
import { BranchCounts } from "./branch-counts.js";
import { CandidateSet } from "./candidate-set.js";
import type { ChangeLog } from "./change-log.js";
import type {
  Leg,
  LegDecision,
  Policy,
  PolicyContext,
  RoutingRequest,
  TrackedLedger,
  Worker,
} from "./types.js";

/** Which workers a choice is limited to. */
export type Acceptance = (worker: Worker) => boolean;

/** What a leg chooser is made from. */
export interface LegChooserParts {
  readonly leg: Leg;
  readonly workers: readonly Worker[];
  readonly policy: Policy;
  /** Most workers of the whole fleet at a time. */
  readonly fleetSize: number;
  readonly ledger: TrackedLedger;
  /** See `PolicyContext.statsChanges`. */
  readonly statsChanges: ChangeLog;
  readonly random: ItemRandom;
  /** False: the leg's policy never sees a session key. */
  readonly seesSessionKey: boolean;
}

/** Chooses the worker of one leg: keeps its healthy workers and asks its policy. */
export class LegChooser {
  readonly leg: Leg;
  private current: Policy;
  private seesSessionKey: boolean;
  private readonly context: Context;
  private readonly counts = new BranchCounts();

  constructor(parts: LegChooserParts) {
    this.leg = parts.leg;
    this.current = parts.policy;
    this.seesSessionKey = parts.seesSessionKey;
    this.context = new Context(parts);
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
    return this.context.healthy;
  }

  onHealthChange(): void {
    const { workers } = this.context;
    const healthy = workers.filter((worker) => worker.healthy);
    this.context.setHealthy(healthy.length < workers.length ? healthy : workers);
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
    const candidates = accepts === null ? this.healthy : this.healthy.filter(accepts);
    if (candidates.length === 0) return null;
    const context = this.at(candidates, request, nowMs, prefillsHere);
    const decision = this.policy.pick(candidates, this.seen(request), context);
    return this.pinned(decision, request, candidates);
  }

  /** What each of `candidates` would cost; see `Policy.costs`, which the policy must have. */
  costs(candidates: readonly Worker[], request: RoutingRequest, nowMs: number, out: Float64Array): string {
    const context = this.at(candidates, request, nowMs, this.leg === "prefill");
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

  private at(
    candidates: readonly Worker[],
    { id }: RoutingRequest,
    nowMs: number,
    prefillsHere: boolean | null,
  ): PolicyContext {
    const { context } = this;
    context.random.begin(id);
    context.nowMs = nowMs;
    context.prefillsHere = prefillsHere;
    context.setCandidates(candidates);
    return context;
  }
}

/** One per leg for the life of the router: a decision only sets what is its own. */
class Context implements PolicyContext {
  nowMs = 0;
  prefillsHere: boolean | null = null;
  workers: readonly Worker[];
  healthy: readonly Worker[] = [];
  candidateSet: CandidateSet;
  readonly ledger: TrackedLedger;
  readonly statsChanges: ChangeLog;
  random: ItemRandom;
  private readonly healthySet: CandidateSet;
  private readonly fewer: CandidateSet;

  constructor({ workers, fleetSize, ledger, statsChanges, random }: LegChooserParts) {
    this.workers = workers;
    this.ledger = ledger;
    this.statsChanges = statsChanges;
    this.random = random;
    this.healthySet = new CandidateSet(fleetSize);
    this.fewer = new CandidateSet(fleetSize);
    this.candidateSet = this.healthySet;
  }

  setHealthy(healthy: readonly Worker[]): void {
    this.healthy = healthy;
    this.healthySet.set(healthy);
  }

  setCandidates(candidates: readonly Worker[]): void {
    this.candidateSet = candidates === this.healthy ? this.healthySet : this.fewer;
    if (this.candidateSet === this.fewer) this.fewer.set(candidates);
  }
}
