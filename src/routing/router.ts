import { randomStream } from "../values/random.js";
import { BranchCounts } from "./branch-counts.js";
import { Ledger, type OpenRequest } from "./ledger.js";
import { fleetOf } from "./fleet.js";
import { LegChooser, type Acceptance } from "./leg-chooser.js";
import { PendingChoice } from "./pending-choice.js";
import type { PrefixIndex } from "./prefix-index/prefix-index.js";
import { AllHolders } from "./prefix-index/prefix-holders.js";
import { deciderNamed, policyNamed } from "./registry.js";
import type { Choice, RouterConfig } from "./router-config.js";
import type {
  Decider,
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
  private readonly config: RouterConfig;
  private readonly workers: readonly Worker[];
  private readonly ledger: Ledger;
  private readonly decider: Decider;
  private readonly prefill: LegChooser;
  private readonly decode: LegChooser;
  /** Index of what was routed where, for a decider that asks while a policy keeps none. */
  private readonly prefixes: PrefixIndex | null;
  private readonly choice: PendingChoice;
  private readonly deciderCounts = new BranchCounts();
  /** Requests must outlive `route`, so their symbols are copied. */
  private readonly keepsRequests: boolean;

  /**
   * @param workers The fleet; a worker's place here is its index in every decision and notification.
   * @param seed Equal seeds and calls give equal decisions.
   */
  constructor(config: RouterConfig, workers: readonly WorkerSpec[], seed: number) {
    this.config = config;
    this.workers = fleetOf(workers);
    this.ledger = new Ledger(workers.length, config.loadAccounting);
    this.decider = deciderNamed(config.decider.name).create(config.decider.params);
    this.prefill = this.chooser("prefill", config.prefillPolicy, seed);
    this.decode = this.chooser("decode", config.decodePolicy, seed);
    this.prefixes = this.ownIndex();
    this.choice = new PendingChoice({
      fleet: this.workers,
      fleetSize: this.workers.length,
      prefill: this.prefill,
      decode: this.decode,
      ledger: this.ledger,
      config,
      random: randomStream(seed, `router/decider/${config.decider.name}`),
      prefixes: this.prefixes,
    });
    this.keepsRequests = config.order === "late_decode" || config.indexUpdate === "prefill_end";
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
    if (this.decode.healthy.length === 0) return this.reject(request, "no_decode_worker");
    choice.begin(request, nowMs);
    if (config.order === "decode_first") choice.decodeLeg();
    if (config.order === "prefill_first" || config.order === "joint") choice.prefillLeg();
    const decided: DeciderDecision =
      request.decodeOnly === undefined
        ? this.decider.decide(request, choice)
        : { disaggregate: false, branch: request.decodeOnly, figures: {} };
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
    const entry = this.ledger.entry(requestId);
    const request = entry.request!;
    const decision = this.decode.pick(request, nowMs, false, this.sameGroupAs(entry.prefill.decision));
    if (decision === null) return null;
    entry.awaitsDecode = false;
    this.openLeg(entry, this.decode, decision, request, nowMs);
    return decision;
  }

  /**
   * Ends a leg and chooses another worker for it.
   *
   * @param request The request given to `route`.
   * @param exclude Workers that are not to be chosen, usually those that have failed it.
   * @returns null when no other worker is left: the leg has then ended.
   * @throws LedgerError when the leg is not open.
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
    this.endLeg(entry, leg, outcome, nowMs);
    const other = leg === "prefill" ? entry.decode.decision : entry.prefill.decision;
    const inGroup = this.sameGroupAs(other);
    const decision = this[leg].pick(
      request,
      nowMs,
      leg === "prefill" || other === null,
      (worker) => !exclude.includes(worker.index) && (inGroup === null || inGroup(worker)),
    );
    if (decision === null) this.closeIfEnded(entry);
    else this.openLeg(entry, this[leg], decision, request, nowMs);
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
    this.endPrefill(this.ledger.entry(requestId), nowMs);
  }

  /** The first token has reached the client; implies the decode leg's headers. */
  onFirstToken(requestId: number, nowMs: number): void {
    this.ledger.tick(nowMs);
    const entry = this.ledger.entry(requestId);
    this.ledger.headers(entry, "decode");
    this.endPrefill(entry, nowMs);
  }

  /** @throws LedgerError when the leg is not open. */
  onLegEnd(requestId: number, leg: Leg, outcome: LegOutcome, nowMs: number): void {
    this.ledger.tick(nowMs);
    const entry = this.ledger.entry(requestId);
    this.endLeg(entry, leg, outcome, nowMs);
    this.closeIfEnded(entry);
  }

  /**
   * Ends every leg of the request that is still open.
   *
   * @throws LedgerError when the request is not open.
   */
  onRequestEnd(requestId: number, outcome: LegOutcome, nowMs: number): void {
    this.ledger.tick(nowMs);
    const entry = this.ledger.entry(requestId);
    for (const leg of LEGS) {
      if (entry[leg].decision !== null && !entry[leg].ended) this.endLeg(entry, leg, outcome, nowMs);
    }
    this.ledger.close(entry);
  }

  updateStats(worker: number, stats: WorkerStats): void {
    this.workers[worker]!.stats = stats;
  }

  /** An unhealthy worker is no candidate; what it holds is remembered until `forgetWorker`. */
  setHealthy(worker: number, healthy: boolean, nowMs: number): void {
    this.ledger.tick(nowMs);
    this.workers[worker]!.healthy = healthy;
    this[this.workers[worker]!.leg].onHealthChange();
  }

  /** The worker's cache is gone, as after a restart; its statistics with it. */
  forgetWorker(worker: number): void {
    const { leg } = this.workers[worker]!;
    this.workers[worker]!.stats = null;
    this[leg].policy.onWorkerRemoved?.(worker);
    this.prefixes?.removeWorker(worker);
  }

  /** An engine tells what its KV cache gained or lost. */
  onKvEvent(event: KvEvent): void {
    this[this.workers[event.worker]!.leg].policy.onKvEvent?.(event);
  }

  /** True when decisions look at engine statistics: the driver then has to bring them. */
  usesStats(): boolean {
    const { decider, prefillPolicy, decodePolicy } = this.config;
    return (
      deciderNamed(decider.name).usesStats(decider.params) ||
      policyNamed(prefillPolicy.name).usesStats(prefillPolicy.params) ||
      policyNamed(decodePolicy.name).usesStats(decodePolicy.params)
    );
  }

  /** True when decisions go by the engines' KV events: the driver then has to bring them. */
  usesKvEvents(): boolean {
    return [this.config.prefillPolicy, this.config.decodePolicy].some(({ name, params }) =>
      policyNamed(name).usesKvEvents(params),
    );
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
    this.prefill.writeCounts(counts);
    this.decode.writeCounts(counts);
    return counts;
  }

  private chooser(leg: Leg, { name, params }: Choice, seed: number): LegChooser {
    const workers = this.workers.filter((worker) => worker.leg === leg);
    const policy = policyNamed(name).create(params, { leg, workers, fleetSize: this.workers.length });
    return new LegChooser(leg, workers, policy, this.ledger, randomStream(seed, `router/${leg}/${name}`));
  }

  private ownIndex(): PrefixIndex | null {
    const { usesPrefixes } = deciderNamed(this.config.decider.name);
    const isNeeded = usesPrefixes && LEGS.some((leg) => this[leg].policy.heldUnits === undefined);
    return isNeeded ? new AllHolders(this.workers.length, OWN_INDEX_UNITS) : null;
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
    const { choice } = this;
    const late = path === "disaggregated" && this.config.order === "late_decode";
    const prefill = choice.prefillLeg();
    const decode = late ? null : choice.decodeLeg();
    const entry = this.ledger.begin(request);
    entry.awaitsDecode = late;
    if (this.keepsRequests) entry.request = copyOf(request);
    if (prefill !== null) this.openLeg(entry, this.prefill, prefill, request, nowMs);
    if (decode !== null) this.openLeg(entry, this.decode, decode, request, nowMs);
    this.deciderCounts.add(branch);
    return { requestId: request.id, path, decider: this.decider.name, branch, figures, prefill, decode };
  }

  private openLeg(
    entry: OpenRequest,
    chooser: LegChooser,
    decision: LegDecision,
    request: RoutingRequest,
    nowMs: number,
  ): void {
    const prefillsHere = chooser.leg === "prefill" || entry.prefill.decision === null;
    this.ledger.choose(entry, chooser.leg, decision, prefillsHere);
    chooser.routed(decision, request, nowMs, prefillsHere);
    if (this.config.indexUpdate === "routing" || entry.prefillEnded) {
      this.prefixHeld(chooser, decision, request, nowMs);
    }
    if (entry.prefillEnded) chooser.policy.onPrefillEnd?.(decision.worker, entry.id, nowMs);
  }

  private prefixHeld(
    chooser: LegChooser,
    decision: LegDecision,
    request: RoutingRequest,
    nowMs: number,
  ): void {
    this.prefixes?.insert(request.prefix, decision.worker, nowMs);
    chooser.policy.onPrefixHeld?.(decision, request, nowMs);
  }

  private endPrefill(entry: OpenRequest, nowMs: number): void {
    if (entry.prefillEnded) return;
    this.ledger.prefillEnded(entry);
    for (const leg of LEGS) {
      const { decision, ended } = entry[leg];
      if (decision === null || ended) continue;
      const chooser = this[leg];
      chooser.policy.onPrefillEnd?.(decision.worker, entry.id, nowMs);
      if (this.config.indexUpdate === "prefill_end")
        this.prefixHeld(chooser, decision, entry.request!, nowMs);
    }
  }

  private endLeg(entry: OpenRequest, leg: Leg, outcome: LegOutcome, nowMs: number): void {
    if (leg === "prefill" && outcome === "completed") this.endPrefill(entry, nowMs);
    this.ledger.end(entry, leg, outcome);
    this[leg].policy.onLegEnd?.(entry[leg].decision!.worker, entry.id, outcome, nowMs);
  }

  private closeIfEnded(entry: OpenRequest): void {
    const { prefill, decode, awaitsDecode } = entry;
    const isOpen =
      (prefill.decision !== null && !prefill.ended) || (decode.decision !== null && !decode.ended);
    if (!isOpen && !awaitsDecode) this.ledger.close(entry);
  }

  private sameGroupAs(other: LegDecision | null): Acceptance | null {
    if (this.config.pairing === "any" || other === null) return null;
    const { group } = this.workers[other.worker]!;
    return (worker) => worker.group === group;
  }
}

const LEGS = ["prefill", "decode"] as const;

/** Units that the router's own index remembers for each worker: llm-d's 31,250 blocks of 16 tokens. */
const OWN_INDEX_UNITS = 500_000;

/** A request that stays as it is when the caller reuses its symbols. */
function copyOf(request: RoutingRequest): RoutingRequest {
  const { prefix } = request;
  return { ...request, prefix: { ...prefix, symbols: prefix.symbols.slice(0, prefix.length) } };
}
