import type { OptimizeResult, RankedPoint, SearchGoal } from "../../src/sweep/search/optimize.js";

const THRESHOLDS = [0, 1024, 2048, 4096, 8192];

/** A search over thresholds that ends with the given points, the best first; `fit`: the first is recommended. */
export function searchOf(goal: SearchGoal, points: readonly RankedPoint[], fit = true): OptimizeResult {
  return {
    schema: "pdbench/optimize@1",
    name: "conversation-4p4d",
    versions: { pdbench: "0.1.0" },
    workload_hash: "9f2c".repeat(16),
    goal,
    objective: { metric: "goodput.requests_per_s", better: "higher" },
    attainment: goal === "best" && fit ? null : 0.9,
    axes: [{ setting: "routing_threshold", values: THRESHOLDS }],
    seeds: [1, 2],
    scenario: {},
    recommended: fit ? points[0]! : null,
    points,
    rungs: [],
    budget: { runs: 12, requests: 9000 },
    grid: null,
  };
}

/** A point with 3 requests/s of goodput and an attainment of 92 %. */
export const ranked = (routing_threshold: number, more: Partial<RankedPoint> = {}): RankedPoint => ({
  settings: { routing_threshold },
  objective: 3,
  attainment: 0.92,
  score: 60,
  ...more,
});

/** What a point sustains where a speedup of 1 is 20 requests/s. */
export function loadOf(sustained: number | null, exceeded: number | null, beaten = false) {
  const requests_per_s = sustained === null ? null : 20 * sustained;
  return { load: { knob: "speedup" as const, sustained, exceeded, requests_per_s, beaten } };
}
