import type { Random } from "../values/random.js";
import type { LegChooser } from "./leg-chooser.js";
import type { RouterConfig } from "./router-config.js";
import type { DeciderContext, LegDecision, LedgerView, RoutingRequest, Worker } from "./types.js";

/**
 * The choice that a router is making for one request. Each leg is picked when it is first asked for, by the
 * order of choice or by the decider; with `pairing: same_group` the second is limited to the group of the
 * first. One instance serves a router for its life.
 */
export class PendingChoice implements DeciderContext {
  nowMs = 0;
  readonly ledger: LedgerView;
  readonly random: Random;
  private readonly fleet: readonly Worker[];
  private readonly prefill: LegChooser;
  private readonly decode: LegChooser;
  private readonly paired: boolean;
  private request!: RoutingRequest;
  private prefillDecision: LegDecision | null = null;
  private prefillPicked = false;
  private decodeDecision: LegDecision | null = null;

  constructor(
    fleet: readonly Worker[],
    prefill: LegChooser,
    decode: LegChooser,
    ledger: LedgerView,
    pairing: RouterConfig["pairing"],
    random: Random,
  ) {
    this.fleet = fleet;
    this.prefill = prefill;
    this.decode = decode;
    this.ledger = ledger;
    this.paired = pairing === "same_group";
    this.random = random;
  }

  /** Starts over; at least one decode worker must be healthy. */
  begin(request: RoutingRequest, nowMs: number): void {
    this.request = request;
    this.nowMs = nowMs;
    this.prefillDecision = null;
    this.prefillPicked = false;
    this.decodeDecision = null;
  }

  /** Null when no prefill worker is healthy (in a group that can serve both legs). */
  prefillLeg(): LegDecision | null {
    if (!this.prefillPicked) {
      this.prefillPicked = true;
      this.prefillDecision = this.prefill.pick(
        this.request,
        this.nowMs,
        this.paired ? (worker) => this.canPairWith(worker) : null,
      );
    }
    return this.prefillDecision;
  }

  decodeLeg(): LegDecision {
    if (this.decodeDecision === null) {
      const chosen = this.prefillDecision;
      const accepts =
        this.paired && chosen !== null
          ? (worker: Worker) => worker.group === this.fleet[chosen.worker]!.group
          : null;
      // A prefill worker is only chosen where its group has a healthy decode worker.
      this.decodeDecision = this.decode.pick(this.request, this.nowMs, accepts)!;
    }
    return this.decodeDecision;
  }

  /** The request is not disaggregated: a decode leg still to be picked is not bound to a prefill worker. */
  withoutPrefill(): void {
    this.prefillPicked = true;
    this.prefillDecision = null;
  }

  get prefillWorkers(): readonly Worker[] {
    return this.prefill.healthy;
  }

  get decodeWorkers(): readonly Worker[] {
    return this.decode.healthy;
  }

  prefillWorker(): Worker | null {
    const decision = this.prefillLeg();
    return decision === null ? null : this.fleet[decision.worker]!;
  }

  decodeWorker(): Worker {
    return this.fleet[this.decodeLeg().worker]!;
  }

  cachedTokens(worker: Worker): number {
    const { policy } = worker.leg === "prefill" ? this.prefill : this.decode;
    const { prefix, promptTokens } = this.request;
    const units = policy.heldUnits?.(this.request, worker.index) ?? 0;
    return prefix.totalUnits > 0 ? Math.floor((units / prefix.totalUnits) * promptTokens) : 0;
  }

  private canPairWith({ group }: Worker): boolean {
    if (this.decodeDecision !== null) return this.fleet[this.decodeDecision.worker]!.group === group;
    return this.decode.healthy.some((worker) => worker.group === group);
  }
}
