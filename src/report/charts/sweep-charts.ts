import type { SweepAxis, SweepPoint, SweepResult } from "../../sweep/sweep-result.js";
import { conditionWords } from "../conditions.js";
import { metricNamed } from "../metrics.js";
import { summariesOf } from "../point-statistics.js";
import type { Recommendation } from "../recommendation.js";
import { pointName } from "../setting-words.js";
import { type Chart, hasRows } from "./chart.js";
import { branchNames, decisionBranchesChart } from "./decision-branches.js";
import { gainOverBaselineChart } from "./gain-over-baseline.js";
import { heatMapChart } from "./heat-map.js";
import { latencyDistributionChart, percentilesOf } from "./latency-distribution.js";
import { paretoFrontChart } from "./pareto-front.js";
import { sensitivityChart } from "./sensitivity.js";
import type { SweepSlice } from "./sweep-slice.js";
import { mainAxis, sliceThrough, sweptAxes } from "./sweep-slice.js";
import { type NamedPoint, workerLoadChart } from "./worker-load.js";

const CHART_METRICS = ["ttft_ms.p90", "itl_ms.p90", "hit_rate"].map(metricNamed);

/** What one swept setting does, metric by metric. */
export interface Sensitivity {
  readonly axis: SweepAxis;
  readonly slice: SweepSlice;
  readonly charts: readonly Chart[];
}

/** The charts of a sweep by what they are about; a list is empty where there is nothing to draw. */
export interface SweepCharts {
  readonly mainSlice: SweepSlice | null;
  readonly gain: readonly Chart[];
  readonly sensitivities: readonly Sensitivity[];
  readonly heatMap: readonly Chart[];
  readonly pareto: Chart;
  readonly distributions: readonly Chart[];
  readonly chosen: readonly NamedPoint[];
  readonly load: Chart;
  readonly branches: readonly string[];
  readonly decisions: readonly Chart[];
}

/** The charts of a sweep around its recommendation. */
export function sweepChartsOf(sweep: SweepResult, found: Recommendation): SweepCharts {
  const axis = mainAxis(sweep);
  const mainSlice = axis === undefined ? null : sliceThrough(sweep, found.point, axis);
  const alongMain =
    mainSlice === null
      ? null
      : { ...mainSlice, points: mainSlice.points.filter(isOnLine(mainSlice, found.point)) };
  const branches = alongMain === null ? [] : branchNames(alongMain);
  const condition = conditionWords(found.settings);
  const comparable = sweep.points.filter((point) => conditionWords(point.settings) === condition);
  const chosen = chosenPoints(found);
  return {
    mainSlice,
    gain: mainSlice === null ? [] : [gainOverBaselineChart(mainSlice, found)].filter(hasRows),
    sensitivities: sweptAxes(sweep)
      .map((one) => sensitivityTo(sweep, one, found))
      .filter(({ charts }) => charts.length > 0),
    heatMap: heatMapOf(sweep, found),
    pareto: paretoFrontChart(comparable, mainSlice, found.point, found.baseline),
    distributions: chosenDistributions(chosen),
    chosen,
    load: workerLoadChart(chosen.slice(0, 2)),
    branches,
    decisions: alongMain === null || branches.length === 0 ? [] : [decisionBranchesChart(alongMain)],
  };
}

/** Every chart of a sweep, in the order of its page. */
export function sweepCharts(sweep: SweepResult, found: Recommendation): readonly Chart[] {
  const { gain, sensitivities, heatMap, pareto, distributions, load, decisions } = sweepChartsOf(
    sweep,
    found,
  );
  const ofSettings = sensitivities.flatMap(({ charts }) => charts);
  return [...gain, ...ofSettings, ...heatMap, pareto, ...distributions, load, ...decisions].filter(hasRows);
}

function sensitivityTo(sweep: SweepResult, axis: SweepAxis, found: Recommendation): Sensitivity {
  const slice = sliceThrough(sweep, found.point, axis);
  const metrics = [found.objective, ...CHART_METRICS.filter((metric) => metric !== found.objective)];
  const charts = metrics.map((metric) => sensitivityChart(slice, metric, found.point)).filter(hasRows);
  return { axis, slice, charts };
}

function heatMapOf(sweep: SweepResult, found: Recommendation): readonly Chart[] {
  const axes = sweptAxes(sweep);
  const [columns, rows] = axes.toSorted((a, b) => b.values.length - a.values.length);
  if (columns === undefined || rows === undefined) return [];
  const held = axes.filter((axis) => axis !== columns && axis !== rows);
  const points = sweep.points.filter((point) =>
    held.every(({ setting }) => point.settings[setting] === found.settings[setting]),
  );
  return [heatMapChart(columns, rows, points, found.objective, found.point)];
}

/** The points a reader will want to see in full: the recommended one, the baseline, and those that would flip it. */
function chosenPoints({ point, baseline, flips }: Recommendation): readonly NamedPoint[] {
  const named: NamedPoint[] = [{ name: `recommended: ${pointName(point.settings)}`, point }];
  if (baseline !== point) named.push({ name: `baseline: ${pointName(baseline.settings)}`, point: baseline });
  for (const flip of flips.slice(0, 2)) {
    if (named.some((one) => one.point === flip.point)) continue;
    named.push({ name: `best ${flip.metric.label}: ${pointName(flip.point.settings)}`, point: flip.point });
  }
  return named;
}

function chosenDistributions(chosen: readonly NamedPoint[]): readonly Chart[] {
  return (["ttft_ms", "itl_ms"] as const)
    .map((key) => {
      const label = key === "ttft_ms" ? "TTFT" : "ITL";
      return latencyDistributionChart(
        `distribution-${label.toLowerCase()}`,
        `${label} distribution`,
        `Share of ${key === "ttft_ms" ? "requests" : "token gaps"} within a time, from the median up, by the ` +
          "percentiles of the summaries (means over seeds); further left is better.",
        chosen.map(({ name, point }) => ({
          name,
          points: percentilesOf(summariesOf(point).map((summary) => summary[key])),
        })),
      );
    })
    .filter(hasRows);
}

/** Of a slice, the points of the series that `centre` belongs to. */
function isOnLine({ series }: SweepSlice, centre: SweepPoint) {
  return (point: SweepPoint) =>
    series === null || point.settings[series.setting] === centre.settings[series.setting];
}
