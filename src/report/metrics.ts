import { InputError } from "../errors.js";
import type { Summary } from "../measure/summary.js";
import { didYouMean } from "../values/nearest-name.js";
import { formatNumber, formatShare } from "./format.js";

/** A figure of a summary that points of a sweep are compared by. */
export interface Metric {
  /** Its path in `summary.json`, e.g. `ttft_ms.p90`. */
  readonly name: string;
  readonly label: string;
  /** Empty where the figure has none. */
  readonly unit: string;
  readonly better: "higher" | "lower";
  /** A share, 0..1, printed as a percentage. */
  readonly isShare: boolean;
  read(summary: Summary): number | null;
}

type Better = Metric["better"];

function metric(
  name: string,
  label: string,
  unit: string,
  better: Better,
  read: Metric["read"],
  isShare = false,
): Metric {
  return { name, label, unit, better, isShare, read };
}

const LATENCIES = [
  ["ttft_ms", "TTFT"],
  ["itl_ms", "ITL"],
  ["tpot_ms", "TPOT"],
  ["e2e_ms", "E2E"],
] as const;
const STATISTICS = ["mean", "p50", "p90", "p99"] as const;

/** Every metric that reports compare, in the order in which tables and files list them. */
export const METRICS: readonly Metric[] = [
  metric("goodput.requests_per_s", "goodput", "requests/s", "higher", (s) => s.goodput.requests_per_s),
  metric("goodput.attainment", "SLO attainment", "", "higher", (s) => s.goodput.attainment, true),
  ...LATENCIES.flatMap(([key, label]) =>
    STATISTICS.map((statistic) =>
      metric(`${key}.${statistic}`, `${label} ${statistic}`, "ms", "lower", (s) => s[key][statistic]),
    ),
  ),
  metric("queue_ms.mean", "queue mean", "ms", "lower", (s) => s.queue_ms.mean),
  metric("queue_ms.p90", "queue p90", "ms", "lower", (s) => s.queue_ms.p90),
  metric("kv_transfer_ms.mean", "KV transfer mean", "ms", "lower", (s) => s.kv_transfer_ms.mean),
  metric("kv_transfer_ms.p90", "KV transfer p90", "ms", "lower", (s) => s.kv_transfer_ms.p90),
  metric("cache.hit_rate", "cache hits", "", "higher", (s) => s.cache.hit_rate, true),
  metric(
    "throughput.requests_per_s",
    "throughput",
    "requests/s",
    "higher",
    (s) => s.throughput.requests_per_s,
  ),
  metric(
    "throughput.output_tokens_per_s",
    "output throughput",
    "tokens/s",
    "higher",
    (s) => s.throughput.output_tokens_per_s,
  ),
  metric(
    "balance.prefill.busy.max_over_mean",
    "prefill imbalance (busiest over mean)",
    "",
    "lower",
    (s) => s.balance.prefill.busy.max_over_mean,
  ),
  metric(
    "balance.decode.busy.max_over_mean",
    "decode imbalance (busiest over mean)",
    "",
    "lower",
    (s) => s.balance.decode.busy.max_over_mean,
  ),
  metric("score.value", "score", "", "higher", (s) => s.score.value),
];

const SHORT_NAMES: Readonly<Record<string, string>> = {
  goodput: "goodput.requests_per_s",
  attainment: "goodput.attainment",
  score: "score.value",
  hit_rate: "cache.hit_rate",
  throughput: "throughput.requests_per_s",
};

/** Names that `--objective` takes. */
export const METRIC_NAMES: readonly string[] = [
  ...Object.keys(SHORT_NAMES),
  ...METRICS.map(({ name }) => name),
];

/**
 * The metric of that path in `summary.json` or short name.
 * @throws InputError for any other name
 */
export function metricNamed(name: string): Metric {
  const path = SHORT_NAMES[name] ?? name;
  const found = METRICS.find((one) => one.name === path);
  if (found === undefined) {
    const expected = `expected one of ${METRIC_NAMES.join(", ")}`;
    throw new InputError(
      `unknown metric ${JSON.stringify(name)}${didYouMean(name, METRIC_NAMES) || `; ${expected}`}`,
    );
  }
  return found;
}

/** A value of the metric for people, without its unit. */
export function formatMetric({ isShare }: Metric, value: number | null): string {
  return isShare ? formatShare(value) : formatNumber(value);
}

/** A value of the metric for people, with its unit. */
export function formatMetricWithUnit(one: Metric, value: number | null): string {
  return one.unit === "" ? formatMetric(one, value) : `${formatMetric(one, value)} ${one.unit}`;
}

/** What tables of points show, in this order. */
export const TABLE_METRICS = [
  "goodput",
  "attainment",
  "ttft_ms.p50",
  "ttft_ms.p90",
  "ttft_ms.p99",
  "itl_ms.p50",
  "itl_ms.p90",
  "itl_ms.p99",
  "hit_rate",
  "score",
].map(metricNamed);
