import { ChangeLog } from "../change-log.js";
import { LoadTree } from "../load-tree.js";
import { LowestLoad, OPEN_REQUESTS } from "../lowest-load.js";
import { Lowest, type Ties } from "../lowest.js";
import { choice, integer, number, optionalChoice, type Values } from "../parameters.js";
import { AllHolders, FirstOwner, type PrefixHolders } from "../prefix-index/prefix-holders.js";
import { policySpec, type PolicySetup } from "../specs.js";
import type { Figures, LegDecision, Policy, PolicyContext, RoutingRequest, Worker } from "../types.js";

const PARAMETERS = [
  number(
    "cache_threshold",
    0.3,
    { min: 0, max: 1, unit: "ratio" },
    "A worker is chosen for its cache when the share of the prompt it holds is above this (strictly).",
  ),
  number(
    "balance_abs_threshold",
    64,
    { min: 0, unit: "requests" },
    "Load counts as unbalanced when it differs by more than this, and by more than balance_rel_threshold.",
  ),
  number(
    "balance_rel_threshold",
    1.5,
    { min: 1, unit: "ratio" },
    "Load counts as unbalanced when the higher is more than this times the lower, and balance_abs_threshold is exceeded.",
  ),
  integer(
    "max_tree_size",
    67_108_864,
    { min: 1, unit: "units" },
    "Tokens or characters of prefixes remembered for each worker.",
  ),
  integer(
    "match_granularity",
    1,
    { min: 1, unit: "units" },
    "Matches count in whole multiples of this: 1 for characters or tokens, 16 for pages of 16 tokens (SMG with token ids).",
  ),
  choice(
    "form",
    "fixed",
    ["fixed", "compat"],
    "compat: as vllm-router 0.1.14 ships it. Sets what balance_gate, holder and ties are by default.",
  ),
  optionalChoice(
    "balance_gate",
    ["request", "fleet", "healthy"],
    "What is tested for balance: the holder's load against the lowest (fixed), or, before the tree is looked at, the highest load of the fleet against the lowest (compat), of the whole fleet or of its healthy workers (SMG); null = by form.",
  ),
  optionalChoice(
    "holder",
    ["least_loaded", "first_owner"],
    "Which worker of those that hold the prefix: the least loaded (fixed), or whoever stored it first (compat); null = by form.",
  ),
  optionalChoice(
    "ties",
    ["random", "rotating", "first", "fewest_routed"],
    "Among equally loaded workers: a seeded random one, the next after the last one chosen, the first in fleet order, or the one given fewest requests so far (SMG); null = random (fixed), first (compat).",
  ),
  choice(
    "stale_owner",
    "forget",
    ["forget", "keep"],
    "With holder first_owner: whether an owner that is down loses its prefixes (vllm-router) or keeps them (SMG).",
  ),
  number(
    "eviction_interval_s",
    120,
    { min: 0, exclusiveMin: true, unit: "s" },
    "With holder first_owner: time between two checks of max_tree_size.",
  ),
] as const;

type Params = Values<typeof PARAMETERS>;

/**
 * The worker that holds most of the prompt, unless load is unbalanced. Load = requests open by the ledger.
 *
 * ```
 * rate = units of the prompt found in the tree / units of the prompt     (0 for an empty prompt)
 * unbalanced(high, low) = high - low > balance_abs_threshold && high > low * balance_rel_threshold
 * fixed:   rate > cache_threshold -> h = least loaded holder; unbalanced(load(h), lowest) ? least loaded : h
 *          else least loaded
 * compat:  unbalanced(highest of all workers, lowest of all) -> first least loaded, tree not consulted
 *          (balance_gate healthy: of all candidates)
 *          rate > cache_threshold -> the first owner, or, when it is down, forget it (stale_owner) and take the first healthy
 *          else first least loaded
 * ```
 * The chosen worker then counts as a holder of the prompt. All comparisons are strict.
 */
export const cacheAware = policySpec({
  name: "cache_aware",
  summary: "The worker that holds most of the prompt, unless load is unbalanced.",
  source: "vllm-router 0.1.14 `cache_aware` (CLI defaults); fixed form after vllm-router #238, sglang #32195",
  parameters: PARAMETERS,
  create: (params, setup) => new CacheAware(params, setup),
});

class CacheAware implements Policy {
  readonly name = "cache_aware";
  private readonly params: Params;
  private readonly gate: "request" | "fleet" | "healthy";
  private readonly firstOwner: boolean;
  private readonly holders: PrefixHolders;
  private readonly least: LowestLoad;
  private readonly lowestHolder: Lowest;
  /** Requests that each worker was given, where ties go by it. */
  private readonly routed: Float64Array | null;
  private readonly routedChanges: ChangeLog;
  /** Loads of the whole fleet, where its balance is tested and workers are down. */
  private fleet: LoadTree | null = null;

  private readonly fleetSize: number;

  constructor(params: Params, { fleetSize }: PolicySetup) {
    this.fleetSize = fleetSize;
    const compat = params.form === "compat";
    const ties = params.ties ?? (compat ? "first" : "random");
    this.params = params;
    this.gate = params.balance_gate ?? (compat ? "fleet" : "request");
    this.firstOwner = (params.holder ?? (compat ? "first_owner" : "least_loaded")) === "first_owner";
    this.holders = this.firstOwner
      ? new FirstOwner(fleetSize, params.max_tree_size, params.eviction_interval_s * 1000)
      : new AllHolders(fleetSize, params.max_tree_size);
    this.routed = ties === "fewest_routed" ? new Float64Array(fleetSize) : null;
    this.routedChanges = new ChangeLog(fleetSize);
    this.lowestHolder = new Lowest(fleetSize, ties === "fewest_routed" ? "first" : ties);
    this.least =
      this.routed === null ? new LowestLoad(fleetSize, ties as Ties) : this.fewestRouted(this.routed);
  }

  pick(candidates: readonly Worker[], request: RoutingRequest, context: PolicyContext): LegDecision {
    const { ledger, random, candidateSet } = context;
    const { least, lowestHolder } = this;
    least.look(candidates, context);
    if (this.gate !== "request") {
      const { highest, lowest } = this.gate === "fleet" ? this.fleetRange(context) : least;
      if (this.isUnbalanced(highest, lowest)) {
        return decision(least.take(random), "balance", { max_load: highest, min_load: lowest });
      }
    }
    const { match_granularity: granularity } = this.params;
    const found = this.holders.match(request.prefix, context.nowMs, candidateSet);
    const held = found - (found % granularity);
    const { totalUnits } = request.prefix;
    const rate = totalUnits > 0 ? held / totalUnits : 0;
    const minLoad = least.lowest;
    if (!(rate > this.params.cache_threshold)) {
      const figures = { match_rate: rate, held_units: held, total_units: totalUnits, min_load: minLoad };
      return decision(least.take(random), "min_load", figures);
    }
    lowestHolder.reset();
    const { holders, holderCount } = this.holders;
    for (let i = 0; i < holderCount; i++) {
      const worker = holders[i]!;
      if (candidateSet.has(worker)) lowestHolder.offer(worker, ledger.open(worker));
    }
    const holder = lowestHolder.takeSorted(random);
    const figures = {
      match_rate: rate,
      held_units: held,
      total_units: totalUnits,
      min_load: minLoad,
      holder_load: lowestHolder.value,
    };
    if (holder < 0) return this.withoutOwner(candidates, { match_rate: rate, min_load: minLoad });
    if (this.gate === "request" && this.isUnbalanced(lowestHolder.value, minLoad)) {
      return decision(least.take(random), "balance", figures);
    }
    return decision(holder, "cache_hit", figures);
  }

  onRouted({ worker, branch }: LegDecision): void {
    if (this.routed === null || branch === "first_healthy") return;
    this.routed[worker]!++;
    this.routedChanges.add(worker);
  }

  onPrefixHeld({ worker, branch }: LegDecision, request: RoutingRequest, nowMs: number): void {
    // The product does not store a prompt that goes to the first healthy worker for want of its owner.
    if (branch === "first_healthy") return;
    this.holders.insert(request.prefix, worker, nowMs);
  }

  onWorkerRemoved(worker: number): void {
    if (!this.firstOwner || this.params.stale_owner === "forget") this.holders.removeWorker(worker);
  }

  heldUnits(request: RoutingRequest, worker: number): number {
    return this.holders.heldUnits(request.prefix, worker);
  }

  private isUnbalanced(high: number, low: number): boolean {
    const { balance_abs_threshold: abs, balance_rel_threshold: rel } = this.params;
    return high - low > abs && high > low * rel;
  }

  /** The least loaded worker, of several the one that was given fewest requests. */
  private fewestRouted(routed: Float64Array): LowestLoad {
    return new LowestLoad(routed.length, "first", {
      ...OPEN_REQUESTS,
      changes: ({ ledger }) => [ledger.changes, this.routedChanges],
      second: ({ index }) => routed[index]!,
    });
  }

  /** The product's own gate counts workers that are down as well (vllm-router issue #254). */
  private fleetRange({ workers, ledger }: PolicyContext): LoadTree {
    this.fleet ??= new LoadTree(this.fleetSize, {
      changes: [ledger.changes],
      load: ({ index }) => ledger.open(index),
      second: () => 0,
    });
    this.fleet.update(workers);
    return this.fleet;
  }

  /** The prefix is known, but its first owner is no candidate. */
  private withoutOwner(candidates: readonly Worker[], figures: Figures): LegDecision {
    if (this.params.stale_owner === "forget") {
      const { holders, holderCount } = this.holders;
      for (let i = 0; i < holderCount; i++) this.holders.removeWorker(holders[i]!);
    }
    return decision(candidates[0]!.index, "first_healthy", figures);
  }
}

function decision(worker: number, branch: string, figures: Figures): LegDecision {
  return { worker, policy: "cache_aware", branch, figures };
}
