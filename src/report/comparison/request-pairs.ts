import { quantile } from "simple-statistics";
import { BLOCKS_AT_LEAST, intervalOverBlocks, type RangeStatistic } from "../../measure/batch-means.js";
import type { Interval } from "../../measure/intervals.js";
import { meetsSlo } from "../../measure/request-metrics.js";
import type { Summary } from "../../measure/summary.js";
import { formatCount } from "../format.js";
import type { RequestRow } from "../run-files-reader.js";
import type { ComparedRun } from "./compared-runs.js";

/** The same requests in two runs, in order of arrival. */
export interface RequestPairs {
  readonly base: readonly RequestRow[];
  readonly other: readonly RequestRow[];
}

/** Beyond this share of rows with other prompts, two runs did not get the same requests. */
const SAME_AT_LEAST = 0.95;
/** A server counts a prompt with its chat template, and text need not come back as the tokens it was made from. */
const TEMPLATE_TOKENS = 64;

/**
 * The requests of equal row of the trace, or why there are none: rows are the same where their prompts are equally
 * long, within what a chat template adds.
 */
export function pairRequests(base: ComparedRun, other: ComparedRun): RequestPairs | { readonly why: string } {
  const missing = [base, other].find(({ requests }) => requests === null);
  if (missing !== undefined) return { why: `${missing.name} has no requests.csv` };
  const others = new Map(other.requests!.map((row) => [row.id, row]));
  const pairs = base.requests!.flatMap((row) => {
    const twin = others.get(row.id);
    return twin === undefined ? [] : [{ row, twin }];
  });
  if (pairs.length === 0) return { why: "they have no row of the trace in common" };
  const unlike = pairs.filter(
    ({ row, twin }) =>
      Math.abs(row.inputTokens - twin.inputTokens) > Math.max(TEMPLATE_TOKENS, 0.02 * row.inputTokens),
  );
  if (unlike.length > (1 - SAME_AT_LEAST) * pairs.length) {
    const { row, twin } = unlike[0]!;
    return {
      why:
        `they are not the same requests (request ${row.id} has ${row.inputTokens} prompt tokens in ` +
        `${base.name} and ${twin.inputTokens} in ${other.name})`,
    };
  }
  const inOrder = pairs.toSorted((a, b) => a.row.arrivalS - b.row.arrivalS || a.row.id - b.row.id);
  return { base: inOrder.map(({ row }) => row), other: inOrder.map(({ twin }) => twin) };
}

/** Requests a block needs: a percentile wants values beyond it, a mean two. */
const LEAST_PER_BLOCK = { mean: 2, p50: 4, p90: 10, p99: 100 } as const;
const SHARES = { p50: 0.5, p90: 0.9, p99: 0.99 } as const;
const LATENCIES = {
  ttft_ms: "ttftMs",
  tpot_ms: "tpotMs",
  e2e_ms: "e2eMs",
  queue_ms: "queueMs",
  kv_transfer_ms: "kvTransferMs",
} as const satisfies Readonly<Record<string, keyof RequestRow>>;

/** Why a metric of two runs has no interval. */
export interface NoInterval {
  readonly why: string;
}

/** A pair as two columns, of requests that have the figure in both runs. */
interface Columns {
  readonly base: Float64Array;
  readonly other: Float64Array;
}

/**
 * Interval of the change of a metric (its name as in METRICS) from `base` to `other`, over the pairs that have it in
 * both; null for metrics that single requests do not have.
 */
export function pairedInterval(
  metric: string,
  pairs: RequestPairs,
  summaries: Readonly<Record<"base" | "other", Summary>>,
): Interval | NoInterval | null {
  const [key, figure] = metric.split(".") as [string, string];
  if (key in LATENCIES && figure in LEAST_PER_BLOCK) {
    const columns = latencyColumns(pairs, LATENCIES[key as keyof typeof LATENCIES]);
    const name = figure as keyof typeof LEAST_PER_BLOCK;
    const statistic = name === "mean" ? meanDifference(columns) : quantileDifference(columns, SHARES[name]);
    return overBlocks(columns.base.length, statistic, LEAST_PER_BLOCK[name]);
  }
  switch (metric) {
    case "itl_ms.mean":
      return gapInterval(pairs);
    case "itl_ms.p50":
    case "itl_ms.p90":
    case "itl_ms.p99":
      return { why: "token gaps are kept pooled, not request by request" };
    case "goodput.attainment":
      return overBlocks(pairs.base.length, meanDifference(goodColumns(pairs, summaries)), 2);
    case "goodput.requests_per_s": {
      const good = goodColumns(pairs, summaries);
      const rate = ({ requests, duration_s }: Summary) => requests.total / duration_s;
      const [ofBase, ofOther] = [rate(summaries.base), rate(summaries.other)];
      const statistic: RangeStatistic = (from, to) =>
        meanOf(good.other, from, to) * ofOther - meanOf(good.base, from, to) * ofBase;
      return overBlocks(pairs.base.length, statistic, 2);
    }
    case "cache.hit_rate":
      return hitRateInterval(pairs, summaries);
    default:
      return null;
  }
}

function overBlocks(count: number, statistic: RangeStatistic, leastPerBlock: number): Interval | NoInterval {
  const interval = intervalOverBlocks(count, statistic, leastPerBlock);
  if (interval === null) return { why: "no request has it in both runs" };
  const least = BLOCKS_AT_LEAST * leastPerBlock;
  return interval.low === null
    ? { why: `only ${formatCount(count)} requests have it in both runs, it takes ${formatCount(least)}` }
    : interval;
}

/** The mean gap between tokens is that of all gaps of a range of requests, which TPOT and lengths give. */
function gapInterval({ base, other }: RequestPairs): Interval | NoInterval {
  const both = base.flatMap((row, i) => (hasGaps(row) && hasGaps(other[i]!) ? [i] : []));
  const mean = (rows: readonly RequestRow[], from: number, to: number) => {
    let [ms, gaps] = [0, 0];
    for (let i = from; i < to; i++) {
      const { tpotMs, outputTokens } = rows[both[i]!]!;
      ms += tpotMs * (outputTokens - 1);
      gaps += outputTokens - 1;
    }
    return ms / gaps;
  };
  return overBlocks(both.length, (from, to) => mean(other, from, to) - mean(base, from, to), 2);
}

function hasGaps({ tpotMs, outputTokens }: RequestRow): boolean {
  return !Number.isNaN(tpotMs) && outputTokens > 1;
}

/** Columns of one latency, over the pairs that have it on both sides; with the positions of the pairs. */
export function latencyColumns(
  { base, other }: RequestPairs,
  key: (typeof LATENCIES)[keyof typeof LATENCIES],
): Columns & { readonly rows: readonly number[] } {
  const rows = base.flatMap((row, i) => (Number.isNaN(row[key]) || Number.isNaN(other[i]![key]) ? [] : [i]));
  return {
    rows,
    base: Float64Array.from(rows, (i) => base[i]![key]),
    other: Float64Array.from(rows, (i) => other[i]![key]),
  };
}

/** The mean difference over a range of pairs. */
export function meanDifference({ base, other }: Columns): RangeStatistic {
  return (from, to) => meanOf(other, from, to) - meanOf(base, from, to);
}

function quantileDifference({ base, other }: Columns, share: number): RangeStatistic {
  const of = (column: Float64Array, from: number, to: number) =>
    // quantile() takes any array with slice(); its type names only number[].
    quantile(column.subarray(from, to) as unknown as number[], share);
  return (from, to) => of(other, from, to) - of(base, from, to);
}

function meanOf(column: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += column[i]!;
  return sum / (to - from);
}

/** 1 where a request met every objective that its run was judged by. */
function goodColumns(
  { base, other }: RequestPairs,
  summaries: Readonly<Record<"base" | "other", Summary>>,
): Columns {
  const good = (rows: readonly RequestRow[], { goodput: { slo } }: Summary) =>
    Float64Array.from(rows, (row) =>
      row.status === "completed" && meetsSlo(row.outputTokens, row, slo) ? 1 : 0,
    );
  return { base: good(base, summaries.base), other: good(other, summaries.other) };
}

function hitRateInterval(
  pairs: RequestPairs,
  summaries: Readonly<Record<"base" | "other", Summary>>,
): Interval | NoInterval {
  if (summaries.base.cache.hit_rate === null || summaries.other.cache.hit_rate === null) {
    return { why: "the workload has no block ids" };
  }
  const rate = (rows: readonly RequestRow[], from: number, to: number): number => {
    let [hits, tokens] = [0, 0];
    for (let i = from; i < to; i++) {
      const { queueMs, ttftMs, cachedTokens, inputTokens } = rows[i]!;
      if (Number.isNaN(queueMs) && Number.isNaN(ttftMs)) continue;
      hits += cachedTokens;
      tokens += inputTokens;
    }
    return tokens === 0 ? 0 : hits / tokens;
  };
  return overBlocks(
    pairs.base.length,
    (from, to) => rate(pairs.other, from, to) - rate(pairs.base, from, to),
    2,
  );
}
