import { ItemRandom } from "../values/random.js";
import type { ChangeLog } from "./change-log.js";
import type { Fleet } from "./fleet.js";
import type { Ledger } from "./ledger.js";
import { LegChooser } from "./leg-chooser.js";
import { PendingChoice } from "./pending-choice.js";
import type { PrefixIndex } from "./prefix-index/prefix-index.js";
import { isSame, policyChoice } from "./reconfiguration.js";
import { deciderNamed, policyNamed } from "./registry.js";
import { LEGS, type LegChoosers } from "./request-book.js";
import type { RouterConfig } from "./router-config.js";
import type { Decider, DeciderDecision, Leg, Policy, RoutingRequest } from "./types.js";

/** What the pools of a router share. */
export interface PoolParts {
  readonly fleet: Fleet;
  readonly ledger: Ledger;
  /** See `PolicyContext.statsChanges`. */
  readonly statsChanges: ChangeLog;
  readonly seed: number;
}

/**
 * The workers of one model and what decides over them: decider, policies, pending choice. The router asks the
 * pool of a request's model and no other, so that turns, hash rings and remembered prefixes are each model's
 * own; fleet, book and load counters are the router's.
 */
export class ModelPool {
  readonly legs: LegChoosers;
  /** Set by `settle`. */
  choice!: PendingChoice;
  private readonly parts: PoolParts;
  private readonly model: string | null;
  private config: RouterConfig;
  private decider: Decider;

  /** @param model Null: the one pool of a fleet whose workers name no model. */
  constructor(parts: PoolParts, model: string | null, config: RouterConfig) {
    this.parts = parts;
    this.model = model;
    this.config = config;
    this.decider = newDecider(config);
    this.legs = { prefill: this.chooser("prefill"), decode: this.chooser("decode") };
  }

  /**
   * Goes by other settings. A policy that keeps its parameters keeps what it remembers; so does the decider.
   * `settle` must follow.
   */
  reconfigure(config: RouterConfig): void {
    const before = this.config;
    this.config = config;
    if (!isSame(before.decider, config.decider)) this.decider = newDecider(config);
    for (const leg of LEGS) {
      const stays = isSame(policyChoice(before, leg), policyChoice(config, leg));
      this.legs[leg].reconfigure(stays ? null : this.newPolicy(leg), this.seesSessionKey(leg));
    }
  }

  /** @param prefixes Index for a decider that asks while a policy keeps none, or null. */
  settle(prefixes: PrefixIndex | null): void {
    const { config, legs } = this;
    const { fleet, ledger } = this.parts;
    const random = this.random(`router/decider/${config.decider.name}`);
    this.choice = new PendingChoice({ fleet, legs, ledger, config, random, prefixes });
  }

  /** Workers of a leg have joined or left. */
  onWorkersChanged(leg: Leg): void {
    this.legs[leg].setWorkers(this.parts.fleet.of(leg, this.model));
  }

  /** True when the decider asks for prefixes and a policy keeps no index of them. */
  get lacksIndex(): boolean {
    const { usesPrefixes } = deciderNamed(this.config.decider.name);
    return usesPrefixes && LEGS.some((leg) => this.legs[leg].policy.heldUnits === undefined);
  }

  decide(request: RoutingRequest): DeciderDecision {
    return request.decodeOnly === undefined
      ? this.decider.decide(request, this.choice)
      : { disaggregate: false, branch: request.decodeOnly, figures: {} };
  }

  private chooser(leg: Leg): LegChooser {
    const { fleet, ledger, statsChanges } = this.parts;
    return new LegChooser({
      leg,
      workers: fleet.of(leg, this.model),
      fleetSize: fleet.capacity,
      ledger,
      statsChanges,
      seesSessionKey: this.seesSessionKey(leg),
      ...this.newPolicy(leg),
    });
  }

  private newPolicy(leg: Leg): { readonly policy: Policy; readonly random: ItemRandom } {
    const { fleet } = this.parts;
    const { name, params } = policyChoice(this.config, leg);
    const setup = { leg, workers: fleet.of(leg, this.model), fleetSize: fleet.capacity };
    return {
      policy: policyNamed(name).create(params, setup),
      random: this.random(`router/${leg}/${name}`),
    };
  }

  private seesSessionKey(leg: Leg): boolean {
    const { sessionKeyReaches } = this.config;
    return sessionKeyReaches === "both" || sessionKeyReaches === leg;
  }

  private random(purpose: string): ItemRandom {
    return new ItemRandom(this.parts.seed, this.model === null ? purpose : `${purpose}/${this.model}`);
  }
}

function newDecider({ decider }: RouterConfig): Decider {
  return deciderNamed(decider.name).create(decider.params);
}
