import { BranchCounts } from "./branch-counts.js";
import { ChangeLog } from "./change-log.js";
import { Fleet } from "./fleet.js";
import { legOf, Ledger } from "./ledger.js";
import type { Acceptance } from "./leg-chooser.js";
import type { ModelPool } from "./model-pool.js";
import { ModelPools } from "./model-pools.js";
import { checkReconfigurable } from "./reconfiguration.js";
import { LEGS, RequestBook } from "./request-book.js";
import type { RouterConfig } from "./router-config.js";
import { usesKvEvents, usesStats } from "./signals-used.js";
import type {
  CandidateView,
  DeciderDecision,
  Figures,
  KvEvent,
  Leg,
  LegDecision,
  LegOutcome,
  LedgerView,
  RouteDecision,
  RoutingRequest,
  Worker,
  WorkerSpec,
  WorkerStats,
} from "./types.js";

/**
 * The routing core: decides where requests go, and keeps the book of what is open.
 *
 * It holds no clock, timer or promise: the driver (simulator or proxy) passes the time in and tells what
 * happens. The order of calls for a request is
 *
 * ```
 * route
 *   onDispatched, onHeaders(prefill)           optional: only some load-accounting settings look at them
 *   onPrefillEnd, onLegEnd(prefill)
 *   routeDecode                                only when route left `decode` null (order late_decode)
 *   onDispatched, onHeaders(decode)            optional
 *   onFirstToken
 *   onLegEnd(decode), or onRequestEnd at any time, which ends every leg that is still open
 * ```
 *
 * Each leg is in the book from the choice of its worker until its end, which must come exactly once, also
 * for a leg that was never sent. A request leaves the book with the end of its last leg; one that waits for
 * `routeDecode` leaves it by `onRequestEnd`. A rejected request is never in the book.
 */
export class Router {
  private config: RouterConfig;
  private readonly fleet: Fleet;
  private readonly ledger: Ledger;
  private readonly statsChanges: ChangeLog;
  private readonly pools: ModelPools;
  private book: RequestBook;
  private readonly deciderCounts = new BranchCounts();

  /**
   * @param workers The fleet; a worker's place here is its index in every decision and notification.
   * @param seed Equal seeds and calls give equal decisions.
   * @param capacity Most workers at a time, for fleets that grow; see `addWorker`.
   */
  constructor(
    config: RouterConfig,
    workers: readonly WorkerSpec[],
    seed: number,
    capacity: number = workers.length,
  ) {
    this.config = config;
    this.fleet = new Fleet(workers, capacity);
    this.ledger = new Ledger(capacity, config.loadAccounting);
    this.statsChanges = new ChangeLog(capacity);
    const { fleet, ledger, statsChanges } = this;
    this.pools = new ModelPools({ fleet, ledger, statsChanges, seed }, config, fleet.present);
    this.book = this.newBook(config);
  }

  /**
   * Goes by other settings from the next decision on. What is open goes on and ends as it would have; the book
   * and the load counters stay. A policy that keeps its parameters keeps what it remembers, any other begins
   * with nothing; so does the decider.
   *
   * @throws InputError for a setting that the account of open requests depends on; nothing has changed then.
   */
  reconfigure(config: RouterConfig): void {
    checkReconfigurable(this.config, config);
    this.config = config;
    this.pools.reconfigure(config);
    this.book = this.newBook(config);
  }

  /** Load as policies see it: after the defects of `load_accounting`, if any are on. */
  get load(): LedgerView {
    return this.ledger;
  }

  /**
   * Decides on a request and opens its legs.
   *
   * @throws LedgerError when a request of this id is open.
   */
  route(request: RoutingRequest, nowMs: number): RouteDecision {
    const { config } = this;
    this.ledger.tick(nowMs);
    const pool = this.pools.for(request);
    if (pool === null) return this.reject(request, "unknown_model");
    if (pool.legs.decode.healthy.length === 0) return this.reject(request, "no_decode_worker");
    const { choice } = pool;
    choice.begin(request, nowMs);
    if (config.order === "decode_first") choice.decodeLeg();
    if (config.order === "prefill_first" || config.order === "joint") choice.prefillLeg();
    const decided = pool.decide(request);
    if (decided.reject === true) return this.reject(request, decided.branch, decided.figures);
    choice.decided(decided.disaggregate);
    if (!decided.disaggregate) return this.open(pool, request, decided, "decode_only", nowMs);
    if (choice.prefillLeg() !== null) return this.open(pool, request, decided, "disaggregated", nowMs);
    if (config.withoutPrefillWorker === "reject") return this.reject(request, "no_prefill_worker");
    choice.decided(false);
    return this.open(pool, request, { ...decided, branch: "no_prefill_worker" }, "decode_only", nowMs);
  }

  /**
   * Chooses the decode worker of a request that `route` left without one.
   *
   * @returns null when no decode worker is healthy.
   * @throws LedgerError when the request is not open or has a decode worker.
   */
  routeDecode(requestId: number, nowMs: number): LegDecision | null {
    this.ledger.tick(nowMs);
    const entry = this.ledger.awaitingDecode(requestId);
    const request = entry.request!;
    const decode = this.pools.for(request)?.legs.decode;
    const inGroup = this.sameGroupAs(entry.prefill.decision);
    const decision = decode?.pick(request, nowMs, false, inGroup) ?? null;
    if (decision !== null) this.book.openLeg(entry, "decode", decision, request, nowMs);
    return decision;
  }

  /**
   * Ends a leg that another worker is to get: the request stays in the book until `rerouteLeg` has found one or
   * `onRequestEnd` says that nobody will.
   *
   * @throws LedgerError when the leg is not open.
   */
  onLegFailed(requestId: number, leg: Leg, outcome: LegOutcome, nowMs: number): void {
    this.ledger.tick(nowMs);
    const entry = this.ledger.entry(requestId);
    this.book.endLeg(entry, leg, outcome, nowMs);
    legOf(entry, leg).awaitsRetry = true;
  }

  /**
   * Chooses another worker for a leg, and ends it before that where it is open.
   *
   * @param request The request given to `route`.
   * @param exclude Workers that are not to be chosen, usually those that have failed it.
   * @returns null when no other worker is left: the leg has then ended, and with the last one the request.
   * @throws LedgerError when the request is not open.
   */
  rerouteLeg(
    request: RoutingRequest,
    leg: Leg,
    outcome: LegOutcome,
    nowMs: number,
    exclude: readonly number[],
  ): LegDecision | null {
    this.ledger.tick(nowMs);
    const entry = this.ledger.entry(request.id);
    if (!legOf(entry, leg).ended) this.book.endLeg(entry, leg, outcome, nowMs);
    legOf(entry, leg).awaitsRetry = false;
    const other = legOf(entry, leg === "prefill" ? "decode" : "prefill").decision;
    const inGroup = this.sameGroupAs(other);
    const prefillsHere = leg === "prefill" || other === null;
    const accepts = (worker: Worker) =>
      !exclude.includes(worker.index) && (inGroup === null || inGroup(worker));
    const chooser = this.pools.for(request)?.legs[leg];
    const decision = chooser?.pick(request, nowMs, prefillsHere, accepts) ?? null;
    if (decision === null) this.book.closeIfEnded(entry);
    else this.book.openLeg(entry, leg, decision, request, nowMs);
    return decision;
  }

  /** The leg's request has been sent to its worker. */
  onDispatched(requestId: number, leg: Leg, nowMs: number): void {
    this.ledger.tick(nowMs);
    this.ledger.dispatched(this.ledger.entry(requestId), leg);
  }

  /** The response headers of the leg have arrived. */
  onHeaders(requestId: number, leg: Leg, nowMs: number): void {
    this.ledger.tick(nowMs);
    this.ledger.headers(this.ledger.entry(requestId), leg);
  }

  /** The prompt has been prefilled. Told at most once; `onFirstToken` and the prefill leg's success imply it. */
  onPrefillEnd(requestId: number, nowMs: number): void {
    this.ledger.tick(nowMs);
    this.book.endPrefill(this.ledger.entry(requestId), nowMs);
  }

  /** The first token has reached the client; implies the decode leg's headers. */
  onFirstToken(requestId: number, nowMs: number): void {
    this.ledger.tick(nowMs);
    const entry = this.ledger.entry(requestId);
    this.ledger.headers(entry, "decode");
    this.book.endPrefill(entry, nowMs);
  }

  /** @throws LedgerError when the leg is not open. */
  onLegEnd(requestId: number, leg: Leg, outcome: LegOutcome, nowMs: number): void {
    this.ledger.tick(nowMs);
    const entry = this.ledger.entry(requestId);
    this.book.endLeg(entry, leg, outcome, nowMs);
    this.book.closeIfEnded(entry);
  }

  /**
   * Ends every leg of the request that is still open.
   *
   * @throws LedgerError when the request is not open.
   */
  onRequestEnd(requestId: number, outcome: LegOutcome, nowMs: number): void {
    this.ledger.tick(nowMs);
    this.book.close(this.ledger.entry(requestId), outcome, nowMs);
  }

  updateStats(worker: number, stats: WorkerStats): void {
    this.fleet.worker(worker).stats = stats;
    this.statsChanges.add(worker);
  }

  /** An unhealthy worker is no candidate; what it holds is remembered until `forgetWorker`. */
  setHealthy(worker: number, healthy: boolean, nowMs: number): void {
    this.ledger.tick(nowMs);
    const subject = this.fleet.worker(worker);
    subject.healthy = healthy;
    this.pools.choosers[worker]!.onHealthChange();
  }

  /** The worker's cache is gone, as after a restart; its statistics with it. */
  forgetWorker(worker: number): void {
    this.fleet.worker(worker).stats = null;
    this.statsChanges.add(worker);
    this.pools.choosers[worker]!.policy.onWorkerRemoved?.(worker);
    this.pools.prefixes?.removeWorker(worker);
  }

  /**
   * Takes a worker in, healthy. While the fleet is below its capacity it gets a new index, then that of a
   * worker that was removed and has nothing open.
   *
   * @param isFree Whether the place of a worker that was removed may be taken.
   * @returns its index.
   * @throws InputError when the fleet is full, or when it names a model and others do not, or the reverse.
   */
  addWorker(
    spec: WorkerSpec,
    isFree: (place: number) => boolean = (place) => this.ledger.booked(place) === 0,
  ): number {
    const worker = this.fleet.add(spec, isFree);
    this.ledger.reset(worker.index);
    this.pools.onJoined(worker);
    return worker.index;
  }

  /** The worker gets no more requests; what is open on it goes on and must be ended as ever. */
  removeWorker(worker: number): void {
    const leaving = this.fleet.remove(worker);
    this.forgetWorker(worker);
    this.pools.onLeft(leaving);
  }

  /** An engine tells what its KV cache gained or lost. */
  onKvEvent(event: KvEvent): void {
    this.pools.choosers[event.worker]!.policy.onKvEvent?.(event);
  }

  /** True when decisions look at engine statistics: the driver then has to bring them. */
  usesStats(): boolean {
    return usesStats(this.config);
  }

  /** True when decisions go by the engines' KV events: the driver then has to bring them. */
  usesKvEvents(): boolean {
    return usesKvEvents(this.config);
  }

  /** The healthy workers of a leg as a decision on `request` would find them now. Only the clock goes on. */
  candidates(leg: Leg, request: RoutingRequest, nowMs: number): CandidateView[] {
    this.ledger.tick(nowMs);
    const pool = this.pools.for(request);
    if (pool === null) return [];
    const { choice } = pool;
    choice.begin(request, nowMs);
    return pool.legs[leg].healthy.map((worker) => ({
      worker: worker.index,
      id: worker.id,
      open: this.ledger.open(worker.index),
      openTokens: this.ledger.openTokens(worker.index),
      prefillTokens: this.ledger.prefillTokens(worker.index),
      cachedTokens: choice.keepsIndexOf(leg) ? choice.cachedTokens(worker) : null,
      stats: worker.stats,
    }));
  }

  isOpen(requestId: number): boolean {
    return this.ledger.has(requestId);
  }

  /** True when every leg that was opened has ended. */
  isIdle(): boolean {
    return this.ledger.isIdle();
  }

  /** Legs in the book of a worker, whatever the load counters say. */
  bookedLegs(worker: number): number {
    return this.ledger.booked(worker);
  }

  /** Decisions so far by branch: `decider.<branch>`, `prefill.<branch>`, `decode.<branch>`. */
  branchCounts(): Record<string, number> {
    const counts: Record<string, number> = {};
    this.deciderCounts.writeTo(counts, "decider");
    for (const { legs } of this.pools.all) for (const leg of LEGS) legs[leg].writeCounts(counts);
    return counts;
  }

  private newBook(config: RouterConfig): RequestBook {
    return new RequestBook(this.ledger, this.pools.choosers, this.pools.prefixes, config);
  }

  private reject({ id }: RoutingRequest, branch: string, figures: Figures = {}): RouteDecision {
    this.deciderCounts.add(branch);
    const { name: decider } = this.config.decider;
    return { requestId: id, path: "rejected", decider, branch, figures, prefill: null, decode: null };
  }

  /** Opens the legs of the path and says so. */
  private open(
    { choice }: ModelPool,
    request: RoutingRequest,
    { branch, figures }: DeciderDecision,
    path: "disaggregated" | "decode_only",
    nowMs: number,
  ): RouteDecision {
    const late = path === "disaggregated" && this.config.order === "late_decode";
    const prefill = choice.prefillLeg();
    const decode = late ? null : choice.decodeLeg();
    this.book.open(request, prefill, decode, nowMs);
    this.deciderCounts.add(branch);
    return {
      requestId: request.id,
      path,
      decider: this.config.decider.name,
      branch,
      figures,
      prefill,
      decode,
    };
  }

  private sameGroupAs(other: LegDecision | null): Acceptance | null {
    if (this.config.pairing === "any" || other === null) return null;
    const { group } = this.fleet.worker(other.worker);
    return (worker) => worker.group === group;
  }
}
