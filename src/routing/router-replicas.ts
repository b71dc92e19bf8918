import type { RouterConfig } from "./router-config.js";
import { Router } from "./router.js";
import type {
  CandidateView,
  KvEvent,
  Leg,
  LegDecision,
  LegOutcome,
  LedgerView,
  RouteDecision,
  RoutingRequest,
  WorkerSpec,
  WorkerStats,
} from "./types.js";

/** What a driver does with a router; see `Router` for each call. */
export type RequestRouter = Pick<Router, keyof Router>;

/** A router, or as many replicas of it as `router_replicas` says; parameters as for `Router`. */
export function createRouter(
  config: RouterConfig,
  workers: readonly WorkerSpec[],
  seed: number,
  capacity: number = workers.length,
): RequestRouter {
  return config.routerReplicas === 1
    ? new Router(config, workers, seed, capacity)
    : new RouterReplicas(config, workers, seed, capacity);
}

/**
 * Several routers in front of one fleet, which get the requests in turn and do not talk to each other: each
 * knows the load and the prefixes of its own share only. What the engines tell reaches them all.
 */
export class RouterReplicas implements RequestRouter {
  private readonly replicas: readonly Router[];
  private readonly routerOf = new Map<number, Router>();
  private turn = 0;

  /** Load over all replicas; each decides by its own. */
  readonly load: LedgerView;

  constructor(config: RouterConfig, workers: readonly WorkerSpec[], seed: number, capacity: number) {
    this.replicas = Array.from(
      { length: config.routerReplicas },
      // Replicas of one deployment differ in nothing but their random numbers.
      (_, replica) => new Router(config, workers, seed + replica * 0x9e3779b1, capacity),
    );
    this.load = {
      open: (worker) => this.sum(({ load }) => load.open(worker)),
      openTokens: (worker) => this.sum(({ load }) => load.openTokens(worker)),
      prefillTokens: (worker) => this.sum(({ load }) => load.prefillTokens(worker)),
    };
  }

  route(request: RoutingRequest, nowMs: number): RouteDecision {
    // An id that is open goes to the replica that has it, which refuses it.
    const replica = this.routerOf.get(request.id) ?? this.replicas[this.turn++ % this.replicas.length]!;
    const decision = replica.route(request, nowMs);
    if (decision.path !== "rejected") this.routerOf.set(request.id, replica);
    return decision;
  }

  routeDecode(requestId: number, nowMs: number): LegDecision | null {
    return this.of(requestId).routeDecode(requestId, nowMs);
  }

  rerouteLeg(
    request: RoutingRequest,
    leg: Leg,
    outcome: LegOutcome,
    nowMs: number,
    exclude: readonly number[],
  ): LegDecision | null {
    return this.close(request.id, (router) => router.rerouteLeg(request, leg, outcome, nowMs, exclude));
  }

  onDispatched(requestId: number, leg: Leg, nowMs: number): void {
    this.of(requestId).onDispatched(requestId, leg, nowMs);
  }

  onHeaders(requestId: number, leg: Leg, nowMs: number): void {
    this.of(requestId).onHeaders(requestId, leg, nowMs);
  }

  onPrefillEnd(requestId: number, nowMs: number): void {
    this.of(requestId).onPrefillEnd(requestId, nowMs);
  }

  onFirstToken(requestId: number, nowMs: number): void {
    this.of(requestId).onFirstToken(requestId, nowMs);
  }

  onLegEnd(requestId: number, leg: Leg, outcome: LegOutcome, nowMs: number): void {
    this.close(requestId, (router) => router.onLegEnd(requestId, leg, outcome, nowMs));
  }

  onLegFailed(requestId: number, leg: Leg, outcome: LegOutcome, nowMs: number): void {
    this.of(requestId).onLegFailed(requestId, leg, outcome, nowMs);
  }

  onRequestEnd(requestId: number, outcome: LegOutcome, nowMs: number): void {
    this.close(requestId, (router) => router.onRequestEnd(requestId, outcome, nowMs));
  }

  updateStats(worker: number, stats: WorkerStats): void {
    for (const replica of this.replicas) replica.updateStats(worker, stats);
  }

  setHealthy(worker: number, healthy: boolean, nowMs: number): void {
    for (const replica of this.replicas) replica.setHealthy(worker, healthy, nowMs);
  }

  reconfigure(config: RouterConfig): void {
    for (const replica of this.replicas) replica.reconfigure(config);
  }

  forgetWorker(worker: number): void {
    for (const replica of this.replicas) replica.forgetWorker(worker);
  }

  addWorker(spec: WorkerSpec): number {
    // A place is free when no replica refers to it, so that all take the same.
    const isFree = (place: number): boolean => this.bookedLegs(place) === 0;
    return this.replicas.map((replica) => replica.addWorker(spec, isFree))[0]!;
  }

  removeWorker(worker: number): void {
    for (const replica of this.replicas) replica.removeWorker(worker);
  }

  /** As the replica sees them that has the request, or that gets the next one. */
  candidates(leg: Leg, request: RoutingRequest, nowMs: number): CandidateView[] {
    const replica = this.routerOf.get(request.id) ?? this.replicas[this.turn % this.replicas.length]!;
    return replica.candidates(leg, request, nowMs);
  }

  onKvEvent(event: KvEvent): void {
    for (const replica of this.replicas) replica.onKvEvent(event);
  }

  usesStats(): boolean {
    return this.replicas[0]!.usesStats();
  }

  usesKvEvents(): boolean {
    return this.replicas[0]!.usesKvEvents();
  }

  isOpen(requestId: number): boolean {
    return this.routerOf.has(requestId);
  }

  isIdle(): boolean {
    return this.replicas.every((replica) => replica.isIdle());
  }

  bookedLegs(worker: number): number {
    return this.sum((replica) => replica.bookedLegs(worker));
  }

  branchCounts(): Record<string, number> {
    const total: Record<string, number> = {};
    for (const replica of this.replicas) {
      for (const [branch, count] of Object.entries(replica.branchCounts())) {
        total[branch] = (total[branch] ?? 0) + count;
      }
    }
    return total;
  }

  /** The replica that has the request; one that has none is refused by any. */
  private of(requestId: number): Router {
    return this.routerOf.get(requestId) ?? this.replicas[0]!;
  }

  /** Does what may take the request out of its replica's book. */
  private close<T>(requestId: number, act: (router: Router) => T): T {
    const router = this.of(requestId);
    const result = act(router);
    if (!router.isOpen(requestId)) this.routerOf.delete(requestId);
    return result;
  }

  private sum(of: (replica: Router) => number): number {
    return this.replicas.reduce((total, replica) => total + of(replica), 0);
  }
}
