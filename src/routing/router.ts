import { ItemRandom } from "../values/random.js";
import { BranchCounts } from "./branch-counts.js";
import { Fleet } from "./fleet.js";
import { Ledger } from "./ledger.js";
import { LegChooser, type Acceptance } from "./leg-chooser.js";
import { PendingChoice } from "./pending-choice.js";
import { AllHolders } from "./prefix-index/prefix-holders.js";
import type { PrefixIndex } from "./prefix-index/prefix-index.js";
import { deciderNamed, policyNamed } from "./registry.js";
import { LEGS, RequestBook, type LegChoosers } from "./request-book.js";
import { checkReconfigurable, isSame, policyChoice } from "./reconfiguration.js";
import type { RouterConfig } from "./router-config.js";
import { usesKvEvents, usesStats } from "./signals-used.js";
import type {
  CandidateView,
  Decider,
  DeciderDecision,
  Figures,
  KvEvent,
  Leg,
  LegDecision,
  LegOutcome,
  LedgerView,
  Policy,
  RouteDecision,
  RoutingRequest,
  WorkerSpec,
  WorkerStats,
} from "./types.js";

/** Units that the router's own index remembers for each worker: llm-d's 31,250 blocks of 16 tokens. */
const OWN_INDEX_UNITS = 500_000;

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
  private readonly seed: number;
  private readonly fleet: Fleet;
  private readonly ledger: Ledger;
  private decider: Decider;
  private readonly legs: LegChoosers;
  /** Index of what was routed where, for a decider that asks while a policy keeps none. */
  private prefixes: PrefixIndex | null;
  private choice: PendingChoice;
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
    this.seed = seed;
    this.decider = deciderNamed(config.decider.name).create(config.decider.params);
    this.legs = { prefill: this.chooser("prefill"), decode: this.chooser("decode") };
    this.prefixes = this.needsOwnIndex() ? this.ownIndex() : null;
    this.choice = this.newChoice();
    this.book = new RequestBook(this.ledger, this.legs, this.prefixes, config);
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
    const before = this.config;
    this.config = config;
    if (!isSame(before.decider, config.decider)) {
      this.decider = deciderNamed(config.decider.name).create(config.decider.params);
    }
    for (const leg of LEGS) {
      const stays = isSame(policyChoice(before, leg), policyChoice(config, leg));
      this.legs[leg].reconfigure(stays ? null : this.newPolicy(leg), this.seesSessionKey(leg));
    }
    this.prefixes = this.needsOwnIndex() ? (this.prefixes ?? this.ownIndex()) : null;
    this.choice = this.newChoice();
    this.book = new RequestBook(this.ledger, this.legs, this.prefixes, config);
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
    const { choice, config } = this;
    this.ledger.tick(nowMs);
    if (this.legs.decode.healthy.length === 0) return this.reject(request, "no_decode_worker");
    choice.begin(request, nowMs);
    if (config.order === "decode_first") choice.decodeLeg();
    if (config.order === "prefill_first" || config.order === "joint") choice.prefillLeg();
    const decided = this.decide(request);
    if (decided.reject === true) return this.reject(request, decided.branch, decided.figures);
    choice.decided(decided.disaggregate);
    if (!decided.disaggregate) return this.open(request, decided, "decode_only", nowMs);
    if (choice.prefillLeg() !== null) return this.open(request, decided, "disaggregated", nowMs);
    if (config.withoutPrefillWorker === "reject") return this.reject(request, "no_prefill_worker");
    choice.decided(false);
    return this.open(request, { ...decided, branch: "no_prefill_worker" }, "decode_only", nowMs);
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
    const decision = this.legs.decode.pick(request, nowMs, false, this.sameGroupAs(entry.prefill.decision));
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
    entry[leg].awaitsRetry = true;
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
    if (!entry[leg].ended) this.book.endLeg(entry, leg, outcome, nowMs);
    entry[leg].awaitsRetry = false;
    const other = entry[leg === "prefill" ? "decode" : "prefill"].decision;
    const inGroup = this.sameGroupAs(other);
    const prefillsHere = leg === "prefill" || other === null;
    const decision = this.legs[leg].pick(
      request,
      nowMs,
      prefillsHere,
      (worker) => !exclude.includes(worker.index) && (inGroup === null || inGroup(worker)),
    );
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
  }

  /** An unhealthy worker is no candidate; what it holds is remembered until `forgetWorker`. */
  setHealthy(worker: number, healthy: boolean, nowMs: number): void {
    this.ledger.tick(nowMs);
    const subject = this.fleet.worker(worker);
    subject.healthy = healthy;
    this.legs[subject.leg].onHealthChange();
  }

  /** The worker's cache is gone, as after a restart; its statistics with it. */
  forgetWorker(worker: number): void {
    const subject = this.fleet.worker(worker);
    subject.stats = null;
    this.legs[subject.leg].policy.onWorkerRemoved?.(worker);
    this.prefixes?.removeWorker(worker);
  }

  /**
   * Takes a worker in, healthy. While the fleet is below its capacity it gets a new index, then that of a
   * worker that was removed and has nothing open.
   *
   * @param isFree Whether the place of a worker that was removed may be taken.
   * @returns its index.
   * @throws InputError when the fleet is full.
   */
  addWorker(
    spec: WorkerSpec,
    isFree: (place: number) => boolean = (place) => this.ledger.booked(place) === 0,
  ): number {
    const { index, leg } = this.fleet.add(spec, isFree);
    this.ledger.reset(index);
    this.legs[leg].setWorkers(this.fleet.ofLeg(leg));
    return index;
  }

  /** The worker gets no more requests; what is open on it goes on and must be ended as ever. */
  removeWorker(worker: number): void {
    const { leg } = this.fleet.remove(worker);
    this.forgetWorker(worker);
    this.legs[leg].setWorkers(this.fleet.ofLeg(leg));
  }

  /** An engine tells what its KV cache gained or lost. */
  onKvEvent(event: KvEvent): void {
    this.legs[this.fleet.worker(event.worker).leg].policy.onKvEvent?.(event);
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
    this.choice.begin(request, nowMs);
    return this.legs[leg].healthy.map((worker) => ({
      worker: worker.index,
      id: worker.id,
      open: this.ledger.open(worker.index),
      openTokens: this.ledger.openTokens(worker.index),
      prefillTokens: this.ledger.prefillTokens(worker.index),
      cachedTokens: this.choice.keepsIndexOf(leg) ? this.choice.cachedTokens(worker) : null,
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
    for (const leg of LEGS) this.legs[leg].writeCounts(counts);
    return counts;
  }

  private chooser(leg: Leg): LegChooser {
    return new LegChooser({
      leg,
      workers: this.fleet.ofLeg(leg),
      ledger: this.ledger,
      seesSessionKey: this.seesSessionKey(leg),
      ...this.newPolicy(leg),
    });
  }

  private newPolicy(leg: Leg): { readonly policy: Policy; readonly random: ItemRandom } {
    const { name, params } = policyChoice(this.config, leg);
    const setup = { leg, workers: this.fleet.ofLeg(leg), fleetSize: this.fleet.capacity };
    return {
      policy: policyNamed(name).create(params, setup),
      random: new ItemRandom(this.seed, `router/${leg}/${name}`),
    };
  }

  private newChoice(): PendingChoice {
    const { fleet, legs, ledger, config, prefixes } = this;
    const random = new ItemRandom(this.seed, `router/decider/${config.decider.name}`);
    return new PendingChoice({ fleet, legs, ledger, config, random, prefixes });
  }

  private seesSessionKey(leg: Leg): boolean {
    const { sessionKeyReaches } = this.config;
    return sessionKeyReaches === "both" || sessionKeyReaches === leg;
  }

  private needsOwnIndex(): boolean {
    const { usesPrefixes } = deciderNamed(this.config.decider.name);
    return usesPrefixes && LEGS.some((leg) => this.legs[leg].policy.heldUnits === undefined);
  }

  private ownIndex(): PrefixIndex {
    return new AllHolders(this.fleet.capacity, OWN_INDEX_UNITS);
  }

  private decide(request: RoutingRequest): DeciderDecision {
    return request.decodeOnly === undefined
      ? this.decider.decide(request, this.choice)
      : { disaggregate: false, branch: request.decodeOnly, figures: {} };
  }

  private reject({ id }: RoutingRequest, branch: string, figures: Figures = {}): RouteDecision {
    this.deciderCounts.add(branch);
    const { name: decider } = this.decider;
    return { requestId: id, path: "rejected", decider, branch, figures, prefill: null, decode: null };
  }

  /** Opens the legs of the path and says so. */
  private open(
    request: RoutingRequest,
    { branch, figures }: DeciderDecision,
    path: "disaggregated" | "decode_only",
    nowMs: number,
  ): RouteDecision {
    const late = path === "disaggregated" && this.config.order === "late_decode";
    const prefill = this.choice.prefillLeg();
    const decode = late ? null : this.choice.decodeLeg();
    this.book.open(request, prefill, decode, nowMs);
    this.deciderCounts.add(branch);
    return { requestId: request.id, path, decider: this.decider.name, branch, figures, prefill, decode };
  }

  private sameGroupAs(other: LegDecision | null): Acceptance | null {
    if (this.config.pairing === "any" || other === null) return null;
    const { group } = this.fleet.worker(other.worker);
    return (worker) => worker.group === group;
  }
}
