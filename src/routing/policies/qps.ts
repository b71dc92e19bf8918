import { Lowest, TIES } from "../lowest.js";
import { number } from "../parameters.js";
import { policySpec } from "../specs.js";

/** Times of a worker's arrivals within a window, in a ring that grows. */
class Arrivals {
  private times = new Float64Array(64);
  private first = 0;
  private count = 0;
  /** True while nothing has ever arrived. */
  isUnused = true;

  add(nowMs: number): void {
    this.isUnused = false;
    if (this.count === this.times.length) {
      const larger = new Float64Array(2 * this.count);
      for (let i = 0; i < this.count; i++) larger[i] = this.times[(this.first + i) % this.count]!;
      this.times = larger;
      this.first = 0;
    }
    this.times[(this.first + this.count++) % this.times.length] = nowMs;
  }

  /** Arrivals at or after `sinceMs`; earlier ones are forgotten. */
  since(sinceMs: number): number {
    while (this.count > 0 && this.times[this.first]! < sinceMs) {
      this.first = (this.first + 1) % this.times.length;
      this.count--;
    }
    return this.count;
  }
}

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
    const arrivals = Array.from({ length: fleetSize }, () => new Arrivals());
    const lowest = new Lowest(fleetSize, ties);
    return {
      name: "qps",
      pick(candidates, _request, { nowMs, random }) {
        lowest.reset();
        let highest = 0;
        for (const { index } of candidates) {
          const rate = arrivals[index]!.since(nowMs - windowS * 1000) / windowS;
          if (rate > highest) highest = rate;
          lowest.offer(index, rate, arrivals[index]!.isUnused ? 0 : 1);
        }
        return {
          worker: lowest.take(random),
          policy: "qps",
          branch: "min_qps",
          figures: { min_qps: lowest.value, max_qps: highest },
        };
      },
      onRouted: ({ worker }, _request, nowMs) => arrivals[worker]!.add(nowMs),
    };
  },
});
