import { lowestCost } from "../cost-choice.js";
import { TIES } from "../lowest.js";
import { number } from "../parameters.js";
import { PendingWork, releaseHooks } from "../pending-work.js";
import { prefillMs, PREFILL_TIME } from "../prefill-time.js";
import { INDEX_CAPACITY } from "../prefix-index/index-capacity.js";
import { AllHolders } from "../prefix-index/prefix-holders.js";
import { indexHooks } from "../prefix-index/prefix-index.js";
import { policySpec } from "../specs.js";

/**
 * The worker on which the first token is expected soonest:
 *
 * ```
 * estimate = prefill time of the requests sent there whose prefill has not ended
 *          + prefill time of this one's tokens that the worker does not hold
 *          + ttft_ms_per_open_request * open requests
 * prefill time(n tokens, c held) = base + per_token * (n - c) + per_token_pair * (n - c) * (n + c)
 * ```
 * With base 0 and both factors 0.5 this is production-stack #670's `w(n, c) = ((c + 1) + n) * (n - c) / 2`.
 * A decode worker that gets the KV cache has nothing to prefill and is chosen by open requests.
 */
export const leastEstimatedTtft = policySpec({
  name: "least_estimated_ttft",
  summary: "The worker on which the first token is expected soonest.",
  source: "production-stack #670 `ttft`; Mooncake (FAST '25) without its transfers",
  parameters: [
    ...PREFILL_TIME,
    number(
      "ttft_ms_per_open_request",
      0,
      { min: 0, unit: "ms" },
      "Expected delay by each request that is open on the worker.",
    ),
    INDEX_CAPACITY,
    TIES,
  ],
  givesCosts: true,
  create: (params, { fleetSize }) => {
    const index = new AllHolders(fleetSize, params.index_capacity);
    const queued = new PendingWork(fleetSize);
    const held = new Float64Array(fleetSize);
    /** Prefill time of the request that is being placed, by worker. */
    const own = new Float64Array(fleetSize);
    const choice = lowestCost(
      "least_estimated_ttft",
      fleetSize,
      params.ties,
      (candidates, { prefix, promptTokens }, { ledger, nowMs, prefillsHere }, out) => {
        index.unitsOfEach(prefix, nowMs, held);
        for (const { index: worker } of candidates) {
          if (prefillsHere === false) {
            out[worker] = ledger.open(worker);
            continue;
          }
          const share = prefix.totalUnits > 0 ? held[worker]! / prefix.totalUnits : 0;
          own[worker] = prefillMs(params, promptTokens, share * promptTokens);
          out[worker] =
            queued.of(worker) + own[worker] + params.ttft_ms_per_open_request * ledger.open(worker);
        }
        return prefillsHere === false ? "min_load" : "min_ttft";
      },
    );
    return {
      ...choice,
      pick(candidates, request, context) {
        const decision = choice.pick(candidates, request, context);
        if (context.prefillsHere === false) return decision;
        const { worker, figures } = decision;
        const estimate = {
          estimated_ttft_ms: figures["cost"]!,
          queued_ms: queued.of(worker),
          prefill_ms: own[worker]!,
        };
        return { ...decision, figures: estimate };
      },
      onRouted({ worker }, { id }, _nowMs, prefillsHere) {
        if (prefillsHere) queued.add(id, worker, own[worker]!);
      },
      ...releaseHooks(queued),
      ...indexHooks(index),
    };
  },
});
