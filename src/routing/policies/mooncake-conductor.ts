import { Lowest, TIES } from "../lowest.js";
import { number } from "../parameters.js";
import { PendingWork, releaseHooks } from "../pending-work.js";
import { prefillMs, PREFILL_TIME } from "../prefill-time.js";
import { INDEX_CAPACITY } from "../prefix-index/index-capacity.js";
import { AllHolders } from "../prefix-index/prefix-holders.js";
import { indexHooks } from "../prefix-index/prefix-index.js";
import { policySpec } from "../specs.js";

/**
 * The prefill worker of lowest estimated TTFT, where a worker that holds much less of the prompt than the
 * best one is expected to fetch the difference from it:
 *
 * ```
 * best / own < kvcache_balancing_threshold:  queue + prefill(prompt, own)
 * else:  transfer(best - own) + queue + prefill(prompt, best)
 * ```
 * `own`, `best`: tokens held by the worker and by the best one; `queue`: prefill time of the requests sent
 * there whose prefill has not ended. Nothing held anywhere counts as a ratio below the threshold. For early
 * rejection see the decider `early_rejection`.
 */
export const mooncakeConductor = policySpec({
  name: "mooncake_conductor",
  summary: "The prefill worker of lowest estimated TTFT, fetching prefixes held elsewhere.",
  source: "Mooncake (FAST '25), algorithm 1, Conductor",
  parameters: [
    number(
      "kvcache_balancing_threshold",
      2,
      { min: 1, unit: "ratio" },
      "From this ratio of tokens held by the best worker and by a candidate on (inclusive), the candidate is taken to fetch the difference. The paper gives no value.",
    ),
    number(
      "transfer_ms_per_token",
      0.0128,
      { min: 0, unit: "ms" },
      "Time to fetch a token's KV cache from another worker (320 KB at 200 Gbit/s).",
    ),
    ...PREFILL_TIME,
    INDEX_CAPACITY,
    TIES,
  ],
  create: (params, { fleetSize }) => {
    const index = new AllHolders(fleetSize, params.index_capacity);
    const queued = new PendingWork(fleetSize);
    const held = new Float64Array(fleetSize);
    const own = new Float64Array(fleetSize);
    const fetched = new Uint8Array(fleetSize);
    const lowest = new Lowest(fleetSize, params.ties);
    return {
      name: "mooncake_conductor",
      pick(candidates, { prefix, promptTokens }, { nowMs, random }) {
        index.unitsOfEach(prefix, nowMs, held);
        const tokensPerUnit = prefix.totalUnits > 0 ? promptTokens / prefix.totalUnits : 0;
        let bestUnits = 0;
        for (const worker of candidates) bestUnits = Math.max(bestUnits, held[worker.index]!);
        const best = bestUnits * tokensPerUnit;
        lowest.reset();
        for (const { index: worker } of candidates) {
          const cached = held[worker]! * tokensPerUnit;
          const fetches = best > 0 && best >= params.kvcache_balancing_threshold * cached;
          const transferMs = fetches ? params.transfer_ms_per_token * (best - cached) : 0;
          fetched[worker] = fetches ? 1 : 0;
          own[worker] = transferMs + prefillMs(params, promptTokens, fetches ? best : cached);
          lowest.offer(worker, queued.of(worker) + own[worker]);
        }
        const worker = lowest.take(random);
        return {
          worker,
          policy: "mooncake_conductor",
          branch: fetched[worker] === 1 ? "fetch_prefix" : held[worker]! > 0 ? "own_prefix" : "min_ttft",
          figures: {
            estimated_ttft_ms: lowest.value,
            queued_ms: queued.of(worker),
            held_units: held[worker]!,
            best_units: bestUnits,
          },
        };
      },
      onRouted({ worker }, { id }, _nowMs, prefillsHere) {
        if (prefillsHere) queued.add(id, worker, own[worker]!);
      },
      ...releaseHooks(queued),
      ...indexHooks(index),
    };
  },
});
