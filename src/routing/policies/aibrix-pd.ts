import { lowestCost } from "../cost-choice.js";
import { LowestLoad } from "../lowest-load.js";
import { meanAndDeviation } from "../mean-and-deviation.js";
import { choice, number, type Values } from "../parameters.js";
import { PendingWork, releaseHooks } from "../pending-work.js";
import { AllHolders } from "../prefix-index/prefix-holders.js";
import { indexHooks } from "../prefix-index/prefix-index.js";
import { policySpec, type PolicySetup } from "../specs.js";
import { BOUND, type Policy, type PolicyContext, type RoutingRequest, type Worker } from "../types.js";
import { AIBRIX_INDEX } from "./aibrix-prefix-cache.js";

const PARAMETERS = [
  choice(
    "prefill_score",
    "prefix_cache",
    ["prefix_cache", "least_request"],
    "How prefill workers are scored.",
  ),
  choice(
    "decode_score",
    "load_balancing",
    ["load_balancing", "least_request"],
    "How decode workers are scored.",
  ),
  number(
    "miss_weight",
    0.1,
    { min: 0 },
    "What each percent of the prompt that a prefill worker does not hold costs; all load together costs 1.",
  ),
  number(
    "prefill_imbalance_threshold",
    16,
    { min: 0, unit: "requests" },
    "Above this difference of open prefills (strictly) a least loaded prefill worker is taken.",
  ),
  number(
    "decode_imbalance_threshold",
    16,
    { min: 0, unit: "requests" },
    "From this difference of running requests on (inclusive) the least loaded decode worker is taken.",
  ),
  ...AIBRIX_INDEX,
] as const;

type Params = Values<typeof PARAMETERS>;

/**
 * AIBrix's `1 - throughput / max throughput`: vLLM's V1 engine has no gauge of token throughput, which then
 * reads 0 for every worker.
 */
const THROUGHPUT_TERM = 1;

/**
 * Both legs of AIBrix's `pd` router, to be used for both with `order: joint` and the rolesets as groups.
 *
 * ```
 * prefill  c = open prefills; max - min > 16 -> one of the least loaded, at random
 *          workers with c > mean + stddev_factor * deviation are left out
 *          prefix_cache:  (100 - whole percent held) * miss_weight + c / max(1, max c)
 *          least_request: c
 * decode   run = running by engine statistics + requests still in prefill; max - min >= 16 -> the least loaded
 *          load_balancing: (run / max run + 1) / (percent free / max percent free), percent free at least 0.1
 *          least_request:  run
 *          a worker without statistics while others have them: 1 + requests still in prefill
 * ```
 * A prefill imbalance binds the roleset before the decode leg is looked at. The 1 of load_balancing is the
 * product's term of token throughput, which vLLM does not tell; its other rules on throughput and drain rate
 * never fire for the same reason.
 */
export const aibrixPd = policySpec({
  name: "aibrix_pd",
  summary: "AIBrix's scores for prefill and decode workers, meant for order joint.",
  source: "AIBrix gateway `pd` router (code defaults, August 2026)",
  parameters: PARAMETERS,
  usesStats: () => true,
  givesCosts: true,
  create: (params, setup) =>
    setup.leg === "prefill" ? prefillPolicy(params, setup) : decodePolicy(params, setup),
});

function prefillPolicy(params: Params, { fleetSize }: PolicySetup): Policy {
  const index = new AllHolders(fleetSize, params.index_capacity, params.index_ttl_s * 1000);
  const held = new Float64Array(fleetSize);
  const loads = new LowestLoad(fleetSize, "random");

  function costs(
    candidates: readonly Worker[],
    { prefix }: RoutingRequest,
    context: PolicyContext,
    out: Float64Array,
  ): string {
    const { ledger, nowMs, random } = context;
    loads.look(candidates, context);
    const { lowest, highest } = loads;
    if (highest - lowest > params.prefill_imbalance_threshold) {
      bind(candidates, loads.take(random), out);
      return BOUND;
    }
    index.unitsOfEach(prefix, nowMs, held);
    const { mean, deviation } = meanAndDeviation(candidates.length, loads);
    const bound = mean + params.stddev_factor * deviation;
    const byLoad = params.prefill_score === "least_request";
    for (const { index: worker } of candidates) {
      const load = ledger.open(worker);
      if (load > bound) out[worker] = Infinity;
      else if (byLoad) out[worker] = load;
      else {
        const percentHeld = prefix.totalUnits > 0 ? Math.floor((100 * held[worker]!) / prefix.totalUnits) : 0;
        out[worker] = (100 - percentHeld) * params.miss_weight + load / Math.max(1, highest);
      }
    }
    return params.prefill_score;
  }

  return { ...lowestCost("aibrix_pd", fleetSize, "random", costs), ...indexHooks(index) };
}

function decodePolicy(params: Params, { fleetSize }: PolicySetup): Policy {
  const inPrefill = new PendingWork(fleetSize);

  function costs(
    candidates: readonly Worker[],
    _request: RoutingRequest,
    _context: PolicyContext,
    out: Float64Array,
  ): string {
    const known = candidates.filter(({ stats }) => stats !== null);
    const loads = known.map(({ index, stats }) => stats!.running + inPrefill.of(index));
    const most = Math.max(1, ...loads);
    const least = Math.min(...loads);
    if (most - least >= params.decode_imbalance_threshold) {
      bind(candidates, known[loads.indexOf(least)]!.index, out);
      return BOUND;
    }
    const mostFree = Math.max(1, ...known.map(percentFree));
    for (const worker of candidates) {
      const pending = inPrefill.of(worker.index);
      if (worker.stats === null) {
        out[worker.index] = known.length > 0 ? 1 + pending : pending;
        continue;
      }
      const load = worker.stats.running + pending;
      out[worker.index] =
        params.decode_score === "least_request"
          ? load
          : (load / most + THROUGHPUT_TERM) / (percentFree(worker) / mostFree);
    }
    return params.decode_score;
  }

  return {
    ...lowestCost("aibrix_pd", fleetSize, "random", costs),
    onRouted({ worker }, { id }, _nowMs, prefillsHere) {
      if (!prefillsHere) inPrefill.add(id, worker, 1);
    },
    ...releaseHooks(inPrefill),
  };
}

/** Rules out every candidate but one. */
function bind(candidates: readonly Worker[], only: number, out: Float64Array): void {
  for (const { index } of candidates) out[index] = Infinity;
  out[only] = 0;
}

function percentFree({ stats }: Worker): number {
  return Math.max(0.1, Math.round(100 - 100 * stats!.kvUsage));
}
