import { quantile } from "simple-statistics";
import { infiniteHitRatioWithOutput, infiniteReuse, lruHitRatio } from "./hit-ratios.js";
import type { RawTrace } from "./raw-trace.js";

/** Capacities, in blocks, that are worth a look where none are given. */
export const DEFAULT_LRU_CAPACITIES: readonly number[] = [1000, 10_000, 30_000, 50_000];

/** Percentiles are of type 7 (linear interpolation). */
export interface LengthStats {
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Ratios from 0 to 1; null where the trace has no block ids. */
export interface HitRatioStats {
  readonly blocks: number | null;
  readonly tokens: number | null;
}

/** What `pdbench trace stats --json` prints. */
export interface TraceStats {
  readonly trace: string;
  readonly requests: number;
  /** First arrival to last. */
  readonly duration_s: number;
  /** Null where all requests arrive at once. */
  readonly requests_per_s: number | null;
  readonly input_tokens: LengthStats;
  readonly output_tokens: LengthStats;
  /** Resolution of the arrival times where it is coarser than the traffic, else 0. */
  readonly tick_s: number;
  /** Null where the trace has no sessions. */
  readonly sessions: { readonly count: number; readonly turns_mean: number } | null;
  /** Blocks of prompts; `block_tokens` is null where the trace has no block ids. */
  readonly blocks: {
    readonly block_tokens: number | null;
    readonly total: number;
    readonly distinct: number;
  };
  /** Null where the trace has no block ids. */
  readonly sharing: SharingStats | null;
  readonly hit_ratio: {
    readonly infinite: HitRatioStats;
    /** What is generated is kept as well; null where the trace does not tell what that is. */
    readonly infinite_with_output: HitRatioStats | null;
    readonly lru: readonly (HitRatioStats & { readonly capacity_blocks: number })[];
  };
  readonly notes: readonly string[];
}

/** How reuse is spread, shares from 0 to 1. */
export interface SharingStats {
  /** Different blocks that more than one request asks for. */
  readonly shared_blocks: number;
  /** Requests by the share of their prompt that an unlimited cache holds. */
  readonly requests_without_hit: number;
  readonly requests_over_half: number;
  readonly requests_over_nine_tenths: number;
}

/**
 * Lengths, rates and sharing of a trace, and the exact prefix-hit ratios of an unlimited cache and of LRU pools
 * (definition in hit-ratios.ts).
 *
 * @param lruCapacities sizes of the pools, in blocks of the trace.
 */
export function traceStats(
  trace: RawTrace,
  lruCapacities: readonly number[] = DEFAULT_LRU_CAPACITIES,
): TraceStats {
  const durationS = trace.arrivalMs[trace.count - 1]! / 1000;
  return {
    trace: trace.source,
    requests: trace.count,
    duration_s: durationS,
    requests_per_s: durationS > 0 ? trace.count / durationS : null,
    input_tokens: lengthStats(trace.inputTokens),
    output_tokens: lengthStats(trace.outputTokens),
    tick_s: trace.tickMs / 1000,
    sessions: sessionStats(trace.session),
    ...(trace.hasBlocks ? prefixStats(trace, lruCapacities) : withoutBlocks(lruCapacities)),
    notes: trace.notes,
  };
}

type PrefixStats = Pick<TraceStats, "blocks" | "sharing" | "hit_ratio">;

function prefixStats(trace: RawTrace, capacities: readonly number[]): PrefixStats {
  const { blocks, tokens, ...reuse } = infiniteReuse(trace);
  return {
    blocks: {
      block_tokens: trace.blocks.blockTokens,
      total: reuse.totalBlocks,
      distinct: reuse.distinctBlocks,
    },
    sharing: {
      shared_blocks: reuse.sharedBlocks,
      requests_without_hit: reuse.requestsWithout,
      requests_over_half: reuse.requestsOverHalf,
      requests_over_nine_tenths: reuse.requestsOverNineTenths,
    },
    hit_ratio: {
      infinite: { blocks, tokens },
      infinite_with_output: infiniteHitRatioWithOutput(trace),
      lru: capacities.map((capacity) => ({ capacity_blocks: capacity, ...lruHitRatio(trace, capacity) })),
    },
  };
}

function withoutBlocks(capacities: readonly number[]): PrefixStats {
  const unknown = { blocks: null, tokens: null };
  return {
    blocks: { block_tokens: null, total: 0, distinct: 0 },
    sharing: null,
    hit_ratio: {
      infinite: unknown,
      infinite_with_output: null,
      lru: capacities.map((capacity) => ({ capacity_blocks: capacity, ...unknown })),
    },
  };
}

function lengthStats(tokens: Int32Array): LengthStats {
  let sum = 0;
  let max = 0;
  for (const length of tokens) {
    sum += length;
    if (length > max) max = length;
  }
  // quantile() selects in a copy and takes any array with slice(); its type names only number[].
  const [p50, p99] = quantile(tokens as unknown as number[], [0.5, 0.99]) as [number, number];
  return { mean: sum / tokens.length, p50, p99, max };
}

function sessionStats(session: Int32Array): TraceStats["sessions"] {
  const numbers = new Set<number>();
  let turns = 0;
  for (const number of session) {
    if (number < 0) continue;
    numbers.add(number);
    turns++;
  }
  return turns === 0 ? null : { count: numbers.size, turns_mean: turns / numbers.size };
}
