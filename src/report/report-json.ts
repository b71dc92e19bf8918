import type { Interval } from "../measure/intervals.js";
import type { SweepResult } from "../sweep/sweep-result.js";
import { METRICS } from "./metrics.js";
import { frontOf } from "./pareto.js";
import type { Change } from "./point-statistics.js";
import { failuresOf, statisticsOf, stoppedOf } from "./point-statistics.js";
import type { Recommendation } from "./recommendation.js";

/** Text of the JSON twin of a report: what the tables and the verdict say, as data (`pdbench/report@1`). */
export function reportJson(sweep: SweepResult, recommendation: Recommendation | null): string {
  const onFront = frontOf(sweep);
  const report = {
    schema: "pdbench/report@1",
    name: sweep.name,
    versions: sweep.versions,
    workload_hash: sweep.workload_hash,
    seeds: sweep.seeds,
    axes: sweep.axes,
    recommendation: recommendation === null ? null : recommendationJson(recommendation),
    points: sweep.points.map((point) => ({
      point: point.index,
      settings: point.settings,
      failed_runs: failuresOf(point).length,
      stopped_runs: stoppedOf(point).length,
      on_pareto_front: onFront.has(point),
      metrics: Object.fromEntries(
        METRICS.map((metric) => [metric.name, intervalJson(statisticsOf(point, metric))]),
      ),
    })),
    notes: sweep.notes,
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

function recommendationJson(found: Recommendation): unknown {
  return {
    objective: found.objective.name,
    verdict: found.verdict,
    point: found.point.index,
    settings: found.settings,
    baseline: found.baseline.index,
    judged_by: found.judgedBy.name,
    gain: found.gain === null ? null : changeJson(found.gain),
    benefits: found.benefits.map(changeJson),
    costs: found.costs.map(changeJson),
    not_detectably_different: found.alike.map(({ index }) => index),
    flips: found.flips.map(({ metric, point, there, here }) => ({
      objective: metric.name,
      point: point.index,
      there,
      here,
    })),
    edges: found.edges,
    elsewhere: found.elsewhere.map(recommendationJson),
    failures: found.failures.map(({ point, failedRuns, error }) => ({
      point: point.index,
      failed_runs: failedRuns,
      error,
    })),
    stopped: found.stopped.map(({ index }) => index),
    words: found.words,
  };
}

function changeJson({ metric, absolute, relative }: Change): unknown {
  return { metric: metric.name, absolute: intervalJson(absolute), relative: intervalJson(relative) };
}

function intervalJson(interval: Interval | null): unknown {
  if (interval === null) return null;
  const { mean, low, high, n, method } = interval;
  return { mean, low, high, n, method };
}
