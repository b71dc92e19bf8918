import { blocksDrift, blocksOf } from "../../measure/batch-means.js";
import type { Interval } from "../../measure/intervals.js";
import { pairedDifference, unpairedDifference } from "../../measure/intervals.js";
import type { Metric } from "../metrics.js";
import { metricNamed } from "../metrics.js";
import { settingDifferences, type SettingDifference, warningsFor } from "./comparability.js";
import type { ComparedRun, Side } from "./compared-runs.js";
import { sideNamed, sidesOf } from "./compared-runs.js";
import { comparisonWords } from "./comparison-words.js";
import { imbalanceInterval, throughputInterval } from "./part-intervals.js";
import type { NoInterval, RequestPairs } from "./request-pairs.js";
import { latencyColumns, meanDifference, pairedInterval, pairRequests } from "./request-pairs.js";

/** How two sides were held against each other, which decides what their intervals mean. */
export type Pairing =
  | { readonly by: "request"; readonly pairs: RequestPairs; readonly drifts: boolean }
  | { readonly by: "seed"; readonly seeds: readonly number[] }
  | { readonly by: "unpaired_seeds" }
  | { readonly by: "nothing"; readonly why: string };

/** One metric of two sides; null where a side does not have it. */
export interface Difference {
  readonly metric: Metric;
  readonly base: number | null;
  readonly other: number | null;
  /** `other - base`; its ends are null where there is nothing to judge it by. */
  readonly absolute: Interval | null;
  /** The same over `base`; null where that is 0. */
  readonly relative: Interval | null;
  /** Why the interval has no ends; null where it has. */
  readonly why: string | null;
}

/** A side held against the baseline. */
export interface ComparedSide {
  readonly side: Side;
  readonly pairing: Pairing;
  readonly differences: readonly Difference[];
  /** The verdict first, then a sentence each for what to know about it. */
  readonly words: readonly string[];
}

/** Two or more runs side by side. */
export interface Comparison {
  readonly name: string;
  readonly baseline: Side;
  readonly others: readonly ComparedSide[];
  /** Why the runs may not be comparable, a sentence each. */
  readonly warnings: readonly string[];
  readonly settings: readonly SettingDifference[];
}

/** What is compared, in the order in which tables list it. */
export const COMPARED_METRICS: readonly Metric[] = [
  "goodput.requests_per_s",
  "goodput.attainment",
  "ttft_ms.mean",
  "ttft_ms.p50",
  "ttft_ms.p90",
  "ttft_ms.p99",
  "itl_ms.mean",
  "itl_ms.p90",
  "itl_ms.p99",
  "tpot_ms.mean",
  "tpot_ms.p90",
  "tpot_ms.p99",
  "e2e_ms.mean",
  "e2e_ms.p90",
  "e2e_ms.p99",
  "queue_ms.mean",
  "kv_transfer_ms.mean",
  "cache.hit_rate",
  "throughput.output_tokens_per_s",
  "balance.prefill.busy.max_over_mean",
  "balance.decode.busy.max_over_mean",
].map(metricNamed);

/**
 * Holds every run against the baseline (default: the first).
 * @throws InputError for an unknown baseline
 */
export function compareRunsSideBySide(runs: readonly ComparedRun[], baselineName?: string): Comparison {
  const sides = sidesOf(runs);
  const baseline = baselineName === undefined ? sides[0]! : sideNamed(sides, baselineName);
  const others = sides.filter((side) => side !== baseline);
  return {
    name: sides.map(({ name }) => name).join(" and "),
    baseline,
    others: others.map((side) => heldAgainst(baseline, side)),
    warnings: warningsFor(sides),
    settings: settingDifferences(sides),
  };
}

/** Mean over the runs of a side; null where none has the metric. */
export function valueOf({ runs }: Side, metric: Metric): number | null {
  const values = runs.flatMap(({ summary }) => metric.read(summary) ?? []);
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function heldAgainst(baseline: Side, side: Side): ComparedSide {
  const pairing = pairingOf(baseline, side);
  const differences = COMPARED_METRICS.flatMap((metric): Difference[] => {
    const [base, other] = [valueOf(baseline, metric), valueOf(side, metric)];
    if (base === null && other === null) return [];
    if (base === null || other === null) {
      return [{ metric, base, other, absolute: null, relative: null, why: "one of them does not have it" }];
    }
    const judged = intervalOf(pairing, baseline, side, metric);
    const absolute = "why" in judged ? without(other - base) : judged;
    const relative = base === 0 ? null : scaled(absolute, 1 / base);
    return [{ metric, base, other, absolute, relative, why: "why" in judged ? judged.why : null }];
  });
  const held = { side, pairing, differences };
  return { ...held, words: comparisonWords(baseline, held) };
}

/** By seeds where they are shared, since that counts all that chance does; else by request, where it can be. */
function pairingOf(baseline: Side, side: Side): Pairing {
  const shared = baseline.runs
    .map(({ seed }) => seed)
    .filter((seed) => side.runs.some((run) => run.seed === seed));
  if (shared.length > 1) return { by: "seed", seeds: shared };
  if (baseline.runs.length > 1 && side.runs.length > 1) return { by: "unpaired_seeds" };
  if (baseline.runs.length > 1 || side.runs.length > 1) {
    return { by: "nothing", why: "one of them ran under a single seed" };
  }
  const pairs = pairRequests(baseline.runs[0]!, side.runs[0]!);
  if ("why" in pairs) return { by: "nothing", why: pairs.why };
  const columns = latencyColumns(pairs, "ttftMs");
  const drifts = blocksDrift(blocksOf(columns.base.length, meanDifference(columns), 2));
  return { by: "request", pairs, drifts };
}

function intervalOf(pairing: Pairing, baseline: Side, side: Side, metric: Metric): Interval | NoInterval {
  const read = (runs: readonly ComparedRun[]) => runs.map(({ summary }) => metric.read(summary));
  switch (pairing.by) {
    case "nothing":
      return { why: pairing.why };
    case "request":
      return intervalOfRuns(metric.name, pairing.pairs, baseline.runs[0]!, side.runs[0]!);
    case "seed": {
      const runsOf = (one: Side) => pairing.seeds.map((seed) => one.runs.find((run) => run.seed === seed)!);
      const [base, other] = [read(runsOf(baseline)), read(runsOf(side))];
      const both = base.flatMap((value, i) => (value === null || other[i] == null ? [] : [i]));
      if (both.length < 2) return OF_ONE_SEED;
      return pairedDifference(
        both.map((i) => other[i]!),
        both.map((i) => base[i]!),
      );
    }
    case "unpaired_seeds": {
      const [base, other] = [baseline, side].map(({ runs }) => read(runs).flatMap((value) => value ?? []));
      if (Math.min(base!.length, other!.length) < 2) return OF_ONE_SEED;
      return unpairedDifference(other!, base!);
    }
  }
}

const OF_ONE_SEED: NoInterval = { why: "fewer than two seeds have it" };

/** By request where requests have the figure, else by parts of the run. */
function intervalOfRuns(
  metric: string,
  pairs: RequestPairs,
  base: ComparedRun,
  other: ComparedRun,
): Interval | NoInterval {
  switch (metric) {
    case "throughput.output_tokens_per_s":
      return throughputInterval(pairs, base, other);
    case "balance.prefill.busy.max_over_mean":
      return imbalanceInterval("prefill", base, other);
    case "balance.decode.busy.max_over_mean":
      return imbalanceInterval("decode", base, other);
    default:
      return (
        pairedInterval(metric, pairs, { base: base.summary, other: other.summary }) ?? {
          why: "single requests do not have it",
        }
      );
  }
}

/** A difference that nothing says the chance of. */
function without(mean: number): Interval {
  return { mean, low: null, high: null, level: 0.95, n: 1, method: "student_t" };
}

function scaled(interval: Interval, factor: number): Interval {
  const of = (value: number | null) => (value === null ? null : value * factor);
  return { ...interval, mean: interval.mean * factor, low: of(interval.low), high: of(interval.high) };
}
