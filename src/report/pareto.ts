import type { SweepPoint, SweepResult } from "../sweep/sweep-result.js";
import { metricNamed } from "./metrics.js";
import { statisticsOf } from "./point-statistics.js";

/** The two latencies that routing trades against each other. */
export const PARETO_METRICS = {
  ttft: metricNamed("ttft_ms.p90"),
  itl: metricNamed("itl_ms.p90"),
} as const;

/** A point by its means over seeds. */
export interface ParetoPoint {
  readonly point: SweepPoint;
  readonly ttftMs: number;
  readonly itlMs: number;
  /** True where no other point is at least as good in both and better in one. */
  readonly isOnFront: boolean;
}

/** Every point that has both latencies, and whether it is on the front; in grid order. */
export function paretoPoints(sweep: SweepResult): readonly ParetoPoint[] {
  const placed = sweep.points.flatMap((point) => {
    const ttftMs = statisticsOf(point, PARETO_METRICS.ttft)?.mean;
    const itlMs = statisticsOf(point, PARETO_METRICS.itl)?.mean;
    return ttftMs === undefined || itlMs === undefined ? [] : [{ point, ttftMs, itlMs }];
  });
  const byTtft = placed.toSorted((a, b) => a.ttftMs - b.ttftMs || a.itlMs - b.itlMs);
  const front = new Set<SweepPoint>();
  let best: { ttftMs: number; itlMs: number } = { ttftMs: -Infinity, itlMs: Infinity };
  for (const one of byTtft) {
    const isTwin = one.ttftMs === best.ttftMs && one.itlMs === best.itlMs;
    if (one.itlMs >= best.itlMs && !isTwin) continue;
    front.add(one.point);
    best = one;
  }
  return placed.map((one) => ({ ...one, isOnFront: front.has(one.point) }));
}
