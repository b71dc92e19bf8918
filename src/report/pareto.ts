import type { SweepPoint, SweepResult } from "../sweep/sweep-result.js";
import { groupsByCondition } from "./conditions.js";
import { metricNamed } from "./metrics.js";
import { statisticsOf } from "./point-statistics.js";

/** The two latencies that routing trades against each other. */
export const PARETO_METRICS = {
  ttft: metricNamed("ttft_ms.p90"),
  itl: metricNamed("itl_ms.p90"),
} as const;

/** The points of a sweep that are on the front of their own condition. */
export function frontOf(sweep: SweepResult): ReadonlySet<SweepPoint> {
  const placed = groupsByCondition(sweep).flatMap(paretoPoints);
  return new Set(placed.flatMap(({ point, isOnFront }) => (isOnFront ? [point] : [])));
}

/** A point by its means over seeds. */
export interface ParetoPoint {
  readonly point: SweepPoint;
  readonly ttftMs: number;
  readonly itlMs: number;
  /** True where no other point is at least as good in both and better in one. */
  readonly isOnFront: boolean;
}

/** Those of the points that have both latencies, in their order, and whether they are on the front. */
export function paretoPoints(points: readonly SweepPoint[]): readonly ParetoPoint[] {
  const placed = points.flatMap((point) => {
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
