import { isDetectable } from "../../measure/intervals.js";
import { formatChange, formatChangeInterval, formatCount, formatShare } from "../format.js";
import { formatMetric, formatMetricWithUnit, metricNamed } from "../metrics.js";
import type { ComparedSide, Difference, Pairing } from "./compare.js";
import type { Side } from "./compared-runs.js";

/** What the verdict names; everything else is in the table. */
const NAMED = [
  "goodput.requests_per_s",
  "ttft_ms.mean",
  "ttft_ms.p90",
  "tpot_ms.mean",
  "tpot_ms.p90",
  "e2e_ms.mean",
  "cache.hit_rate",
].map(metricNamed);

/** Two times closer than this are the same: files are rounded to a nanosecond. */
const SAME_WITHIN_MS = 1e-5;

/** How a difference comes out. */
export type Outcome = "better" | "worse" | "no_detectable_difference" | "no_interval";

/** The outcome of a difference for the side that is held against the baseline. */
export function outcomeOf({ metric, absolute }: Difference): Outcome {
  if (absolute?.low == null) return "no_interval";
  if (!isDetectable(absolute)) return "no_detectable_difference";
  const isUp = absolute.mean > 0;
  return isUp === (metric.better === "higher") ? "better" : "worse";
}

/** Outcomes as tables say them. */
export const OUTCOME_WORDS: Readonly<Record<Outcome, string>> = {
  better: "better",
  worse: "worse",
  no_detectable_difference: "no detectable difference",
  no_interval: "no interval",
};

/** What a comparison says of a side, in sentences: the verdict first. */
export function comparisonWords(baseline: Side, held: Omit<ComparedSide, "words">): readonly string[] {
  return [
    verdict(baseline, held),
    ...detailWords(held),
    ...levelWords(held),
    ...timingWords(baseline, held),
    pairingWords(held.pairing),
  ];
}

function verdict(baseline: Side, { side, differences }: Omit<ComparedSide, "words">): string {
  const named = differences.filter(isNamed);
  const of = (outcome: Outcome) => named.filter((one) => outcomeOf(one) === outcome);
  const [better, worse] = [of("better"), of("worse")];
  if (better.length + worse.length > 0) {
    const parts = [
      ...(better.length === 0 ? [] : [`better in ${better.map(changeOnly).join(", ")}`]),
      ...(worse.length === 0 ? [] : [`worse in ${worse.map(changeOnly).join(", ")}`]),
    ];
    const rest = worse.length === 0 ? "; nothing named here is detectably worse" : "";
    return `${side.name} against ${baseline.name}: ${parts.join("; ")}${rest}.`;
  }
  const level = of("no_detectable_difference");
  if (level.length > 0) {
    return `No detectable difference between ${side.name} and ${baseline.name} in ${labels(level)}.`;
  }
  const means = named.map(differenceWords).join(", ");
  return `${side.name} against ${baseline.name}, without intervals: ${means}.`;
}

/** The verdict's figures with their values and intervals. */
function detailWords({ differences }: Omit<ComparedSide, "words">): readonly string[] {
  return (["better", "worse"] as const).flatMap((outcome) => {
    const found = differences.filter((one) => isNamed(one) && outcomeOf(one) === outcome);
    return found.length === 0 ? [] : [`Detectably ${outcome}: ${found.map(differenceWords).join(", ")}.`];
  });
}

function isNamed({ metric }: Difference): boolean {
  return NAMED.includes(metric);
}

function changeOnly({ metric, relative }: Difference): string {
  return relative === null ? metric.label : `${metric.label} (${formatChange(relative.mean)})`;
}

/** Beside what differs, what does not. */
function levelWords({ differences }: Omit<ComparedSide, "words">): readonly string[] {
  const outcomes = differences.filter(isNamed);
  const level = outcomes.filter((one) => outcomeOf(one) === "no_detectable_difference");
  const others = outcomes.filter((one) => ["better", "worse"].includes(outcomeOf(one)));
  return level.length === 0 || others.length === 0 ? [] : [`No detectable difference in ${labels(level)}.`];
}

function labels(differences: readonly Difference[]): string {
  const all = differences.map(({ metric }) => metric.label);
  return all.length < 2 ? all.join("") : `${all.slice(0, -1).join(", ")} and ${all.at(-1)!}`;
}

/** `TTFT mean -12 % (340 to 299 ms; 95 % interval -18 to -6 %)` */
function differenceWords({ metric, base, other, relative, absolute }: Difference): string {
  const values = `${formatMetric(metric, base)} to ${formatMetricWithUnit(metric, other)}`;
  if (relative === null || absolute === null) return `${metric.label} (${values})`;
  const { mean, low, high } = relative;
  const ends = low === null || high === null ? "" : `; 95 % interval ${formatChangeInterval(low, high)}`;
  return `${metric.label} ${formatChange(mean)} (${values}${ends})`;
}

/** How many single requests got their first token earlier. */
function timingWords(baseline: Side, { side, pairing }: Omit<ComparedSide, "words">): readonly string[] {
  if (pairing.by !== "request") return [];
  const { base, other } = pairing.pairs;
  let [earlier, later, both] = [0, 0, 0];
  base.forEach(({ ttftMs }, i) => {
    const difference = other[i]!.ttftMs - ttftMs;
    if (Number.isNaN(difference)) return;
    both++;
    if (difference < -SAME_WITHIN_MS) earlier++;
    else if (difference > SAME_WITHIN_MS) later++;
  });
  if (both === 0) return [];
  const same = both - earlier - later;
  return [
    `Request by request, the first token came earlier in ${side.name} for ${formatShare(earlier / both)}, ` +
      `later for ${formatShare(later / both)}${same === 0 ? "" : ` and at the same time for ${formatShare(same / both)}`} ` +
      `(${formatCount(both)} requests that both ${baseline.name} and ${side.name} answered).`,
  ];
}

function pairingWords(pairing: Pairing): string {
  switch (pairing.by) {
    case "request": {
      const drift = pairing.drifts
        ? " Neighbouring blocks move together (the runs drift), so these intervals are too short: compare runs of several seeds."
        : "";
      return (
        `Paired by request: ${formatCount(pairing.pairs.base.length)} rows of the trace that both ran. Intervals are over ` +
        `blocks of requests that came one after the other, since neighbours wait for each other.${drift}`
      );
    }
    case "seed":
      return `Paired by seed (${pairing.seeds.join(", ")}): intervals are over seeds.`;
    case "unpaired_seeds":
      return "Not the same seeds, so not in pairs: intervals are over the seeds of each (Welch), and wider for it.";
    case "nothing":
      return (
        `Not in pairs: ${pairing.why}. So nothing says how much of a difference is chance: run each under several ` +
        "seeds and give all the runs."
      );
  }
}
