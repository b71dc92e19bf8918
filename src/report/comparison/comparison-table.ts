import { formatChange, formatChangeRange, MISSING } from "../format.js";
import { formatMetric } from "../metrics.js";
import type { ComparedSide, Difference } from "./compare.js";
import type { Side } from "./compared-runs.js";
import { OUTCOME_WORDS, outcomeOf } from "./comparison-words.js";

/** Headers of the table of a side against the baseline. */
export function comparisonHeaders(baseline: Side, { side }: ComparedSide): readonly string[] {
  return ["", baseline.name, side.name, "change", "95 % interval", ""];
}

/** The verdict on a difference, with the reason where there is no interval. */
export function verdictOn(difference: Difference): string {
  const outcome = outcomeOf(difference);
  return outcome === "no_interval" ? `${OUTCOME_WORDS[outcome]}: ${difference.why!}` : OUTCOME_WORDS[outcome];
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
    verdictOn(difference),
  ];
}

/** Which figures have no interval and why, a sentence for each reason. */
export function withoutIntervalWords({ differences }: ComparedSide): readonly string[] {
  const labels = new Map<string, string[]>();
  for (const { metric, why } of differences) {
    if (why !== null) labels.set(why, [...(labels.get(why) ?? []), metric.label]);
  }
  return [...labels].map(([why, names]) => `No interval for ${names.join(", ")}: ${why}.`);
}

/** How intervals are to be read; said once below the tables. */
export const INTERVAL_NOTE =
  "Changes are relative to the baseline's value. An interval that includes 0 is no detectable difference.";
