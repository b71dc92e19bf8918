import { ChangeLog } from "../change-log.js";
import { LowestLoad } from "../lowest-load.js";
import { TIES } from "../lowest.js";
import { number } from "../parameters.js";
import { policySpec } from "../specs.js";
import { TimedWorkers } from "../timed-workers.js";

/**
 * The worker with the lowest rate of requests over the last `request_stats_window_s`, counted by the router
 * itself. It is a rate of arrivals, not load in flight. A worker that never had a request comes before all
 * others. production-stack takes the first of equals (`ties: first`).
 */
export const qps = policySpec({
  name: "qps",
  summary: "The worker with the lowest recent rate of requests.",
  source: "production-stack `_qps_routing`, #587 `qps`",
  parameters: [
    number(
      "request_stats_window_s",
      60,
      { min: 0, exclusiveMin: true, unit: "s" },
      "Time over which requests are counted.",
    ),
    TIES,
  ],
  create: ({ request_stats_window_s: windowS, ties }, { fleetSize }) => {
    const recent = new TimedWorkers();
    const counts = new Float64Array(fleetSize);
    const isUsed = new Uint8Array(fleetSize);
    const changes = new ChangeLog(fleetSize);
    const least = new LowestLoad(fleetSize, ties, {
      changes: () => [changes],
      of: ({ index }) => counts[index]! / windowS,
      second: ({ index }) => isUsed[index]!,
    });
    return {
      name: "qps",
      pick(candidates, _request, context) {
        const sinceMs = context.nowMs - windowS * 1000;
        while (recent.firstMs < sinceMs) {
          const worker = recent.shift();
          counts[worker]!--;
          changes.add(worker);
        }
        least.look(candidates, context);
        return {
          worker: least.take(context.random),
          policy: "qps",
          branch: "min_qps",
          figures: { min_qps: least.lowest, max_qps: least.highest },
        };
      },
      onRouted({ worker }, _request, nowMs) {
        recent.push(worker, nowMs);
        counts[worker]!++;
        isUsed[worker] = 1;
        changes.add(worker);
      },
    };
  },
});
