import type { LegChooser } from "./leg-chooser.js";
import { ModelPool, type PoolParts } from "./model-pool.js";
import { AllHolders } from "./prefix-index/prefix-holders.js";
import type { PrefixIndex } from "./prefix-index/prefix-index.js";
import type { RouterConfig } from "./router-config.js";
import type { RoutingRequest, Worker } from "./types.js";

/** Units that the router's own index remembers for each worker: llm-d's 31,250 blocks of 16 tokens. */
const OWN_INDEX_UNITS = 500_000;

/** The pools of a router: one for each model that its workers name, or one for all where they name none. */
export class ModelPools {
  /** The chooser that each worker belongs to, by worker. */
  readonly choosers: LegChooser[] = [];
  /** Index of what was routed where, for a decider that asks while a policy keeps none. */
  prefixes: PrefixIndex | null = null;
  private readonly parts: PoolParts;
  private config: RouterConfig;
  private readonly pools = new Map<string | null, ModelPool>();

  /** @param workers Those of the fleet. */
  constructor(parts: PoolParts, config: RouterConfig, workers: readonly Worker[]) {
    this.parts = parts;
    this.config = config;
    const models = workers.length === 0 ? [null] : workers.map(({ model }) => model);
    for (const model of models) this.of(model);
    for (const worker of workers) this.choosers[worker.index] = this.of(worker.model).legs[worker.leg];
  }

  /** All pools, in order of first appearance. */
  get all(): Iterable<ModelPool> {
    return this.pools.values();
  }

  /** The pool that decides on a request; null when no worker has served its model. */
  for({ model }: RoutingRequest): ModelPool | null {
    return this.pools.get(this.parts.fleet.isByModel ? model : null) ?? null;
  }

  reconfigure(config: RouterConfig): void {
    this.config = config;
    for (const pool of this.pools.values()) pool.reconfigure(config);
    const lacksIndex = [...this.pools.values()].some((pool) => pool.lacksIndex);
    this.prefixes = lacksIndex ? (this.prefixes ?? this.ownIndex()) : null;
    for (const pool of this.pools.values()) pool.settle(this.prefixes);
  }

  /** A worker has joined the fleet. */
  onJoined({ index, leg, model }: Worker): void {
    const pool = this.of(model);
    this.choosers[index] = pool.legs[leg];
    pool.onWorkersChanged(leg);
  }

  /** A worker has left it. */
  onLeft({ leg, model }: Worker): void {
    this.of(model).onWorkersChanged(leg);
  }

  private of(model: string | null): ModelPool {
    const known = this.pools.get(model);
    if (known !== undefined) return known;
    const pool = new ModelPool(this.parts, model, this.config);
    if (pool.lacksIndex) this.prefixes ??= this.ownIndex();
    pool.settle(this.prefixes);
    this.pools.set(model, pool);
    return pool;
  }

  private ownIndex(): PrefixIndex {
    return new AllHolders(this.parts.fleet.capacity, OWN_INDEX_UNITS);
  }
}
