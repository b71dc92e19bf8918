import type { ItemRandom, Random } from "../values/random.js";
import { JointChoice } from "./joint-choice.js";
import type { Fleet } from "./fleet.js";
import type { PrefixIndex } from "./prefix-index/prefix-index.js";
import type { LegChoosers } from "./request-book.js";
import type { RouterConfig } from "./router-config.js";
import { WorkerGroups } from "./worker-groups.js";
import type { DeciderContext, Leg, LegDecision, LedgerView, RoutingRequest, Worker } from "./types.js";

/** What a pending choice is made from. */
export interface ChoiceParts {
  readonly fleet: Fleet;
  readonly legs: LegChoosers;
  readonly ledger: LedgerView;
  readonly config: RouterConfig;
  readonly random: ItemRandom;
  /** Index for `cachedTokens` where a policy keeps none, or null. */
  readonly prefixes: PrefixIndex | null;
}

/**
 * The choice that a router is making for one request. Each leg is picked when it is first asked for, by the
 * order of choice or by the decider; with `pairing: same_group` the second is limited to the group of the
 * first. One instance serves a router for its life.
 */
export class PendingChoice implements DeciderContext {
  nowMs = 0;
  private readonly parts: ChoiceParts;
  private readonly paired: boolean;
  private readonly decodeGroups = new WorkerGroups();
  private readonly joint: JointChoice | null;
  private request!: RoutingRequest;
  private prefillDecision: LegDecision | null = null;
  private prefillPicked = false;
  private decodeDecision: LegDecision | null = null;
  /** Whether the decode worker will compute the prompt; null until the decider has spoken. */
  private decodePrefills: boolean | null = null;

  constructor(parts: ChoiceParts) {
    const { legs, fleet, config, random } = parts;
    this.parts = parts;
    this.paired = config.pairing === "same_group";
    this.joint = config.order === "joint" ? new JointChoice(legs, fleet.capacity, random) : null;
  }

  /** Starts over; at least one decode worker must be healthy. */
  begin(request: RoutingRequest, nowMs: number): void {
    this.request = request;
    this.nowMs = nowMs;
    this.parts.random.begin(request.id);
    this.prefillDecision = null;
    this.prefillPicked = false;
    this.decodeDecision = null;
    this.decodePrefills = null;
  }

  /** The decider has spoken. A decode leg still to be picked is not bound to a prefill leg that is not sent. */
  decided(disaggregate: boolean): void {
    this.decodePrefills = !disaggregate;
    if (disaggregate) return;
    if (this.joint !== null) this.decodeDecision = null;
    this.prefillPicked = true;
    this.prefillDecision = null;
  }

  /** Null when no prefill worker is healthy (in a group that can serve both legs). */
  prefillLeg(): LegDecision | null {
    if (!this.prefillPicked) {
      if (this.joint !== null) return this.pickPair(this.joint);
      this.prefillPicked = true;
      const accepts = this.paired ? (worker: Worker) => this.canPairWith(worker) : null;
      this.prefillDecision = this.parts.legs.prefill.pick(this.request, this.nowMs, true, accepts);
    }
    return this.prefillDecision;
  }

  decodeLeg(): LegDecision {
    if (this.decodeDecision === null) {
      const { fleet, legs } = this.parts;
      const chosen = this.prefillDecision;
      const group = this.paired && chosen !== null ? fleet.worker(chosen.worker).group : -1;
      const accepts = group >= 0 ? (worker: Worker) => worker.group === group : null;
      // A prefill worker is only chosen where its group has a healthy decode worker.
      this.decodeDecision = legs.decode.pick(this.request, this.nowMs, this.decodePrefills, accepts)!;
    }
    return this.decodeDecision;
  }

  get ledger(): LedgerView {
    return this.parts.ledger;
  }

  get random(): Random {
    return this.parts.random;
  }

  get prefillWorkers(): readonly Worker[] {
    return this.parts.legs.prefill.healthy;
  }

  get decodeWorkers(): readonly Worker[] {
    return this.parts.legs.decode.healthy;
  }

  worker(index: number): Worker {
    return this.parts.fleet.worker(index);
  }

  /** Whether `cachedTokens` can tell anything of a leg's workers. */
  keepsIndexOf(leg: Leg): boolean {
    return this.parts.legs[leg].policy.heldUnits !== undefined || this.parts.prefixes !== null;
  }

  cachedTokens({ leg, index }: Worker): number {
    const { prefix, promptTokens } = this.request;
    const { policy } = this.parts.legs[leg];
    const units =
      policy.heldUnits === undefined
        ? (this.parts.prefixes?.heldUnits(prefix, index) ?? 0)
        : policy.heldUnits(this.request, index);
    return prefix.totalUnits > 0 ? Math.floor((units * promptTokens) / prefix.totalUnits) : 0;
  }

  private pickPair(joint: JointChoice): LegDecision | null {
    this.prefillPicked = true;
    const pair = joint.pick(this.request, this.nowMs);
    this.prefillDecision = pair?.prefill ?? null;
    this.decodeDecision = pair?.decode ?? null;
    return this.prefillDecision;
  }

  private canPairWith({ group }: Worker): boolean {
    const { fleet, legs } = this.parts;
    if (this.decodeDecision !== null) return fleet.worker(this.decodeDecision.worker).group === group;
    return this.decodeGroups.of(legs.decode.healthy).has(group);
  }
}
