import { legOf, type Ledger, type OpenRequest } from "./ledger.js";
import type { LegChooser } from "./leg-chooser.js";
import type { PrefixIndex } from "./prefix-index/prefix-index.js";
import type { RouterConfig } from "./router-config.js";
import type { Leg, LegDecision, LegOutcome, RoutingRequest } from "./types.js";

export const LEGS = ["prefill", "decode"] as const;

export type LegChoosers = Readonly<Record<Leg, LegChooser>>;

/** What happens to an open request: tells ledger, policies and index, each once and in the same order. */
export class RequestBook {
  private readonly ledger: Ledger;
  private readonly choosers: readonly LegChooser[];
  private readonly prefixes: PrefixIndex | null;
  private readonly heldAtRouting: boolean;
  /** Requests outlive `route`, so their symbols are copied. */
  private readonly keepsRequests: boolean;

  /** @param choosers That of each worker, by worker. */
  constructor(
    ledger: Ledger,
    choosers: readonly LegChooser[],
    prefixes: PrefixIndex | null,
    config: RouterConfig,
  ) {
    this.ledger = ledger;
    this.choosers = choosers;
    this.prefixes = prefixes;
    this.heldAtRouting = config.indexUpdate === "routing";
    this.keepsRequests = config.order === "late_decode" || config.indexUpdate === "prefill_end";
  }

  /** @throws LedgerError when a request of this id is open. */
  open(
    request: RoutingRequest,
    prefill: LegDecision | null,
    decode: LegDecision | null,
    nowMs: number,
  ): void {
    const entry = this.ledger.begin(request);
    entry.awaitsDecode = decode === null;
    if (this.keepsRequests) entry.request = copyOf(request);
    if (prefill !== null) this.openLeg(entry, "prefill", prefill, request, nowMs);
    if (decode !== null) this.openLeg(entry, "decode", decode, request, nowMs);
  }

  openLeg(entry: OpenRequest, leg: Leg, decision: LegDecision, request: RoutingRequest, nowMs: number): void {
    const chooser = this.choosers[decision.worker]!;
    const prefillsHere = leg === "prefill" || entry.prefill.decision === null;
    if (leg === "decode") entry.awaitsDecode = false;
    this.ledger.choose(entry, leg, decision, prefillsHere);
    chooser.routed(decision, request, nowMs, prefillsHere);
    if (this.heldAtRouting || entry.prefillEnded) this.prefixHeld(chooser, decision, request, nowMs);
    if (entry.prefillEnded) chooser.policy.onPrefillEnd?.(decision.worker, entry.id, nowMs);
  }

  endPrefill(entry: OpenRequest, nowMs: number): void {
    if (entry.prefillEnded) return;
    this.ledger.prefillEnded(entry);
    for (const leg of LEGS) {
      const { decision, ended } = legOf(entry, leg);
      if (decision === null || ended) continue;
      const chooser = this.choosers[decision.worker]!;
      chooser.policy.onPrefillEnd?.(decision.worker, entry.id, nowMs);
      if (!this.heldAtRouting) this.prefixHeld(chooser, decision, entry.request!, nowMs);
    }
  }

  /** @throws LedgerError when the leg is not open. */
  endLeg(entry: OpenRequest, leg: Leg, outcome: LegOutcome, nowMs: number): void {
    if (leg === "prefill" && outcome === "completed") this.endPrefill(entry, nowMs);
    this.ledger.end(entry, leg, outcome);
    const { worker } = legOf(entry, leg).decision!;
    this.choosers[worker]!.policy.onLegEnd?.(worker, entry.id, outcome, nowMs);
  }

  /** Ends every leg that is still open and forgets the request. */
  close(entry: OpenRequest, outcome: LegOutcome, nowMs: number): void {
    for (const leg of LEGS) if (isOpen(entry, leg)) this.endLeg(entry, leg, outcome, nowMs);
    this.ledger.close(entry);
  }

  closeIfEnded(entry: OpenRequest): void {
    if (entry.awaitsDecode) return;
    if (!LEGS.some((leg) => isOpen(entry, leg) || legOf(entry, leg).awaitsRetry)) this.ledger.close(entry);
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
}

function isOpen(entry: OpenRequest, leg: Leg): boolean {
  return legOf(entry, leg).decision !== null && !legOf(entry, leg).ended;
}

/** A request that stays as it is when the caller reuses its symbols. */
function copyOf(request: RoutingRequest): RoutingRequest {
  const { prefix } = request;
  return { ...request, prefix: { ...prefix, symbols: prefix.symbols.slice(0, prefix.length) } };
}
