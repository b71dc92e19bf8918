import { IdTable } from "../values/id-table.js";
import { ChangeLog } from "./change-log.js";
import type { LoadAccounting } from "./load-accounting.js";
import type { Leg, LegDecision, LegOutcome, RoutingRequest, TrackedLedger } from "./types.js";

/** A call broke the rules of the ledger: a defect of the driver, never of its input. */
export class LedgerError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "LedgerError";
  }
}

/** One leg of an open request. */
export interface OpenLeg {
  /** Null while no worker has been chosen. */
  decision: LegDecision | null;
  ended: boolean;
  /** Another worker is still to be chosen for it. */
  awaitsRetry: boolean;
  /** In the load counters now. */
  counted: boolean;
  /** Was in the load counters: a leg is counted at most once. */
  wasCounted: boolean;
}

/** A request between its routing and the end of its last leg. */
export interface OpenRequest {
  /** Its place among the ledger's entries. */
  readonly place: number;
  id: number;
  promptTokens: number;
  readonly prefill: OpenLeg;
  readonly decode: OpenLeg;
  /** The worker whose `prefillTokens` the prompt is part of, or -1. */
  prefillingOn: number;
  prefillEnded: boolean;
  /** The decode worker is still to be chosen. */
  awaitsDecode: boolean;
  /** The request itself, where something later than `route` needs it. */
  request: RoutingRequest | null;
}

/**
 * The router's book of open legs, and the load counters that policies read.
 *
 * The book is exact: a leg is in it from the choice of its worker until `end`, which comes exactly once. The
 * counters follow the book as `LoadAccounting` says; by default they are equal to it.
 */
export class Ledger implements TrackedLedger {
  readonly changes: ChangeLog;
  private readonly accounting: LoadAccounting;
  private readonly entries: OpenRequest[] = [];
  /** Places of entries by request id. */
  private readonly places = new IdTable();
  private readonly spare: OpenRequest[] = [];
  private readonly bookedLegs: Int32Array;
  private readonly counters: Int32Array;
  private readonly tokenCounters: Float64Array;
  private readonly prefilling: Float64Array;
  private nextResetMs: number;

  constructor(workers: number, accounting: LoadAccounting) {
    this.accounting = accounting;
    this.changes = new ChangeLog(workers);
    this.bookedLegs = new Int32Array(workers);
    this.counters = new Int32Array(workers);
    this.tokenCounters = new Float64Array(workers);
    this.prefilling = new Float64Array(workers);
    this.nextResetMs = (accounting.health_check_resets_load_s ?? Infinity) * 1000;
  }

  open(worker: number): number {
    return this.counters[worker]!;
  }

  openTokens(worker: number): number {
    return this.tokenCounters[worker]!;
  }

  prefillTokens(worker: number): number {
    return this.prefilling[worker]!;
  }

  /** Legs that are in the book of a worker, whatever the counters say. */
  booked(worker: number): number {
    return this.bookedLegs[worker]!;
  }

  /** True when nothing is open: every leg has ended and no prompt is being prefilled. */
  isIdle(): boolean {
    return (
      this.places.size === 0 &&
      this.bookedLegs.every((legs) => legs === 0) &&
      this.prefilling.every((tokens) => tokens === 0)
    );
  }

  /** Lets the clock-driven part of the accounting happen. */
  tick(nowMs: number): void {
    if (nowMs < this.nextResetMs) return;
    const periodMs = this.accounting.health_check_resets_load_s! * 1000;
    this.nextResetMs = (Math.floor(nowMs / periodMs) + 1) * periodMs;
    this.counters.fill(0);
    this.tokenCounters.fill(0);
    this.changes.addAll();
  }

  /** @throws LedgerError when a request of this id is open. */
  begin(request: RoutingRequest): OpenRequest {
    if (this.has(request.id)) throw new LedgerError(`request ${request.id} is open already`);
    const entry = this.spare.pop() ?? this.newEntry();
    entry.id = request.id;
    entry.promptTokens = request.promptTokens;
    this.places.add(request.id, entry.place);
    return entry;
  }

  /** @throws LedgerError when no such request is open. */
  entry(requestId: number): OpenRequest {
    const place = this.places.get(requestId);
    if (place < 0) throw new LedgerError(`request ${requestId} is not open`);
    return this.entries[place]!;
  }

  /** @throws LedgerError when no such request is open, or it has its decode worker. */
  awaitingDecode(requestId: number): OpenRequest {
    const entry = this.entry(requestId);
    if (!entry.awaitsDecode) throw new LedgerError(`request ${requestId} has a decode worker already`);
    return entry;
  }

  /** Another worker takes the place of one that has nothing open. */
  reset(worker: number): void {
    this.counters[worker] = 0;
    this.tokenCounters[worker] = 0;
    this.changes.add(worker);
  }

  has(requestId: number): boolean {
    return this.places.get(requestId) >= 0;
  }

  /** A worker has been chosen for a leg: it is in the book from now on. */
  choose(entry: OpenRequest, leg: Leg, decision: LegDecision, prefillsHere: boolean): void {
    const open = legOf(entry, leg);
    if (open.decision !== null && !open.ended) {
      throw new LedgerError(`the ${leg} leg of request ${entry.id} has a worker already`);
    }
    open.decision = decision;
    open.ended = false;
    open.awaitsRetry = false;
    open.counted = false;
    open.wasCounted = false;
    this.bookedLegs[decision.worker]!++;
    if (prefillsHere && !entry.prefillEnded) {
      entry.prefillingOn = decision.worker;
      this.prefilling[decision.worker]! += entry.promptTokens;
    }
    const { decode_opens: decodeOpens, prefill_guard_opened_late: late } = this.accounting;
    if (leg === "prefill" ? !late : decodeOpens === "choice") this.count(entry, open);
  }

  /** The leg's request has been sent to its worker. */
  dispatched(entry: OpenRequest, leg: Leg): void {
    if (leg === "decode" && this.accounting.decode_opens === "dispatch") this.count(entry, entry.decode);
  }

  /** The response headers of the leg have arrived. */
  headers(entry: OpenRequest, leg: Leg): void {
    this.dispatched(entry, leg);
    const open = legOf(entry, leg);
    if (leg === "prefill") {
      if (this.accounting.prefill_guard_opened_late) this.count(entry, open);
      return;
    }
    if (this.accounting.decode_opens === "headers") this.count(entry, open);
    if (this.accounting.decode_release === "headers" && open.counted) this.discount(entry, open);
  }

  /** The prompt has been prefilled, on whichever worker does it. */
  prefillEnded(entry: OpenRequest): void {
    entry.prefillEnded = true;
    this.stopPrefilling(entry);
  }

  /** @throws LedgerError when the leg has no worker or has ended before. */
  end(entry: OpenRequest, leg: Leg, outcome: LegOutcome): void {
    const open = legOf(entry, leg);
    if (open.decision === null) throw new LedgerError(`request ${entry.id} has no ${leg} leg`);
    if (open.ended) throw new LedgerError(`the ${leg} leg of request ${entry.id} has ended before`);
    const { worker } = open.decision;
    open.ended = true;
    this.bookedLegs[worker]!--;
    if (entry.prefillingOn === worker) this.stopPrefilling(entry);
    if (!open.counted) return;
    if (outcome === "cancelled" && this.accounting.leak_on_disconnect) return;
    this.discount(entry, open);
    if (outcome === "retryable" && this.accounting.double_decrement_on_retryable_status) {
      this.discount(entry, open);
    }
  }

  /** Forgets a request whose legs have all ended. */
  close(entry: OpenRequest): void {
    this.places.delete(entry.id);
    forget(entry.prefill);
    forget(entry.decode);
    entry.prefillEnded = false;
    entry.request = null;
    this.spare.push(entry);
  }

  private newEntry(): OpenRequest {
    const entry = {
      place: this.entries.length,
      id: 0,
      promptTokens: 0,
      prefill: newLeg(),
      decode: newLeg(),
      prefillingOn: -1,
      prefillEnded: false,
      awaitsDecode: false,
      request: null,
    };
    this.entries.push(entry);
    return entry;
  }

  private count(entry: OpenRequest, open: OpenLeg): void {
    const decision = open.decision;
    if (decision === null || open.wasCounted || open.ended || this.accounting.never_counted) return;
    if (this.accounting.counted_only_for_cache_aware && decision.policy !== "cache_aware") return;
    open.counted = true;
    open.wasCounted = true;
    this.counters[decision.worker]!++;
    this.tokenCounters[decision.worker]! += entry.promptTokens;
    this.changes.add(decision.worker);
  }

  /** Counters never go below 0: with exact accounting they cannot, with a defect products saturate. */
  private discount(entry: OpenRequest, open: OpenLeg): void {
    const { worker } = open.decision!;
    open.counted = false;
    this.counters[worker] = Math.max(0, this.counters[worker]! - 1);
    this.tokenCounters[worker] = Math.max(0, this.tokenCounters[worker]! - entry.promptTokens);
    this.changes.add(worker);
  }

  private stopPrefilling(entry: OpenRequest): void {
    if (entry.prefillingOn < 0) return;
    this.prefilling[entry.prefillingOn]! -= entry.promptTokens;
    entry.prefillingOn = -1;
  }
}

/** A leg of an open request. */
export function legOf(entry: OpenRequest, leg: Leg): OpenLeg {
  return leg === "prefill" ? entry.prefill : entry.decode;
}

/** A leg whose request is closed keeps nothing of it. */
function forget(leg: OpenLeg): void {
  leg.decision = null;
  leg.awaitsRetry = false;
}

function newLeg(): OpenLeg {
  return { decision: null, ended: false, awaitsRetry: false, counted: false, wasCounted: false };
}
