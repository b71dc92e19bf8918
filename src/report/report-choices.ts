import { asComparedRun, sidesOf } from "./comparison/compared-runs.js";
import { METRICS, type Metric } from "./metrics.js";
import { compareResults, type Results } from "./read-results.js";
import { pointName } from "./setting-words.js";

/** What a report of some results can be asked for beside the results themselves. */
export interface ReportChoices {
  /** Names that `--baseline` takes. */
  readonly baselines: readonly string[];
  /** What `--objective` takes; empty where nothing is recommended. */
  readonly objectives: readonly Metric[];
}

/** The choices of the report that `reportOn` makes of these results; none of a single run. */
export function choicesOf(all: readonly Results[]): ReportChoices {
  const runs = all.filter((one) => one.kind === "run");
  if (runs.length < all.length) {
    const points = compareResults(all).points.filter(({ runs: own }) =>
      own.some(({ summary }) => summary !== null),
    );
    return { baselines: points.map(({ settings }) => pointName(settings)), objectives: METRICS };
  }
  if (runs.length < 2) return { baselines: [], objectives: [] };
  const sides = sidesOf(runs.map((run) => asComparedRun(run, { requests: null, timeline: null })));
  return { baselines: sides.map(({ name }) => name), objectives: [] };
}
