import type { Interval } from "./intervals.js";
import { studentTQuantile } from "./student-t.js";

/** A figure of the requests at positions `from` to `to - 1` in order of arrival. */
export type RangeStatistic = (from: number, to: number) => number;

/** Blocks of one run; with fewer, a value says too little of its spread, and more would be short and correlated. */
export const BLOCKS = 20;
export const BLOCKS_AT_LEAST = 10;
const LEVEL = 0.95;

/** One block: requests that arrived one after the other, and the figure over them. */
export interface Block {
  readonly from: number;
  readonly to: number;
  readonly value: number;
}

/**
 * Interval of a figure of one run. Requests of a run share queues and caches, so neighbours are alike and an
 * interval that takes them for independent is far too short. The run is cut into blocks of consecutive requests, long
 * enough to know little of each other, and the figure's spread over the blocks gives the interval around its
 * value over the whole run (sectioning; batch means where the figure is a mean: Asmussen & Glynn, Stochastic
 * Simulation, 2007, IV.5; 10 to 30 blocks: Schmeiser 1982).
 *
 * @param count requests
 * @param leastPerBlock requests a block needs for the figure to mean anything, e.g. 100 for a p99
 * @returns without ends where there are too few requests
 */
export function intervalOverBlocks(
  count: number,
  statistic: RangeStatistic,
  leastPerBlock: number,
): Interval | null {
  if (count === 0) return null;
  const blocks = blocksOf(count, statistic, leastPerBlock);
  return intervalAround(
    statistic(0, count),
    blocks.map(({ value }) => value),
  );
}

/**
 * The same where the blocks are given: the interval around a figure of the whole run by its values in parts of it.
 *
 * @returns without ends where there are fewer than 10 parts
 */
export function intervalAround(mean: number, values: readonly number[]): Interval {
  const n = values.length;
  if (n < BLOCKS_AT_LEAST) return { mean, low: null, high: null, level: LEVEL, n: 1, method: "batch_means" };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const standardError = Math.sqrt(squares / (n - 1) / n);
  const reach = studentTQuantile((1 + LEVEL) / 2, n - 1) * standardError;
  return { mean, low: mean - reach, high: mean + reach, level: LEVEL, n, method: "batch_means" };
}

/** The figure block by block; empty where there are too few requests for blocks. */
export function blocksOf(count: number, statistic: RangeStatistic, leastPerBlock: number): readonly Block[] {
  const fitting = Math.min(BLOCKS, Math.floor(count / leastPerBlock));
  if (fitting < BLOCKS_AT_LEAST) return [];
  return Array.from({ length: fitting }, (_, i) => {
    const from = Math.floor((i * count) / fitting);
    const to = Math.floor(((i + 1) * count) / fitting);
    return { from, to, value: statistic(from, to) };
  });
}

/**
 * True where neighbouring blocks move together more than chance explains (lag-1 correlation beyond its one-sided
 * 5 % point for independent blocks): the run drifts, and intervals over its blocks are too short.
 */
export function blocksDrift(blocks: readonly Block[]): boolean {
  const n = blocks.length;
  const mean = blocks.reduce((sum, { value }) => sum + value, 0) / n;
  const off = blocks.map(({ value }) => value - mean);
  const variance = off.reduce((sum, value) => sum + value * value, 0);
  if (n === 0 || variance === 0) return false;
  const lagged = off.slice(1).reduce((sum, value, i) => sum + value * off[i]!, 0);
  return lagged / variance > -1 / n + 1.645 / Math.sqrt(n);
}
