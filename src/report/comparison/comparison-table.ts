import { formatChange, formatChangeRange, MISSING } from "../format.js";
import { formatMetric } from "../metrics.js";
import type { ComparedSide, Difference } from "./compare.js";
import type { Side } from "./compared-runs.js";
import { OUTCOME_WORDS, outcomeOf } from "./comparison-words.js";

/** Headers of the table of a side against the baseline. */
export function comparisonHeaders(baseline: Side, { side }: ComparedSide): readonly string[] {
  return ["", baseline.name, side.name, "change", "95 % interval", ""];
}

/** A row of that table: figures as people read them. */
export function comparisonRow(difference: Difference): readonly string[] {
  const { metric, base, other, relative } = difference;
  const interval =
    relative?.low == null || relative.high === null
      ? MISSING
      : `${formatChangeRange(relative.low, relative.high)} %`;
  return [
    metric.unit === "" ? metric.label : `${metric.label}, ${metric.unit}`,
    formatMetric(metric, base),
    formatMetric(metric, other),
    relative === null ? MISSING : formatChange(relative.mean),
    interval,
    base === null || other === null ? "missing" : OUTCOME_WORDS[outcomeOf(difference)],
  ];
}

/** How intervals are to be read; said once below the tables. */
export const INTERVAL_NOTE =
  "Changes are relative to the baseline's value. An interval that includes 0 is no detectable difference. ITL is " +
  "pooled over all token gaps, which single requests do not have, so it has an interval over seeds only.";
