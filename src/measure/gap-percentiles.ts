import { distributionFrom, emptyDistribution, PERCENTILES } from "./distribution.js";
import type { GapRuns } from "./records.js";
import type { Distribution } from "./summary.js";

const FEWEST_BUCKETS = 16;
/** Below this many distinct positions, expanding and sorting costs less than another pass over buckets. */
const EXPAND_AT_MOST = 2048;

/** Parts of runs: part `i` is the positions `[from[i], to[i])` of run `run[i]`. */
interface Parts {
  readonly length: number;
  readonly run: Int32Array;
  readonly from: Int32Array;
  readonly to: Int32Array;
}

/** An order statistic that is wanted: the value with `rank` smaller or equal ones before it, counted from 0. */
interface Wanted {
  rank: number;
  value: number;
}

/**
 * Mean, percentiles and maximum of all token gaps, exactly as if every gap were written out and sorted
 * (type 7), without writing them out.
 *
 * Runs are counted into equal-width buckets, where one run is a handful of closed-form counts; only the
 * buckets that hold a wanted rank are looked at again, in finer buckets, until what is left is small enough
 * to sort. Time is proportional to the number of runs, not of tokens.
 */
export function gapDistribution(gaps: GapRuns): Distribution {
  const total = countGaps(gaps);
  if (total === 0) return emptyDistribution();
  const wanted: Wanted[] = [];
  const pairs = PERCENTILES.map((share) => {
    const index = (total - 1) * share;
    const lower = { rank: Math.floor(index), value: Number.NaN };
    const upper = { rank: Math.ceil(index), value: Number.NaN };
    wanted.push(lower, upper);
    return { lower, upper, fraction: index - lower.rank };
  });
  select(gaps, wholeRuns(gaps), wanted);
  const percentiles = pairs.map(
    ({ lower, upper, fraction }) => lower.value + fraction * (upper.value - lower.value),
  );
  return distributionFrom(sumOfGaps(gaps) / total, percentiles, largestGap(gaps));
}

/** Number of gaps in all runs. */
export function countGaps(gaps: GapRuns): number {
  let total = 0;
  for (let run = 0; run < gaps.length; run++) total += gaps.steps[run]! * gaps.weight[run]!;
  return total;
}

/** Sum of an arithmetic series per run; compensated (Neumaier), as a run is small beside the total. */
function sumOfGaps({ length, firstMs, deltaMs, steps, weight }: GapRuns): number {
  let sum = 0;
  let compensation = 0;
  for (let run = 0; run < length; run++) {
    const n = steps[run]!;
    const term = weight[run]! * (n * firstMs[run]! + (deltaMs[run]! * (n * (n - 1))) / 2);
    const next = sum + term;
    compensation += Math.abs(sum) >= Math.abs(term) ? sum - next + term : term - next + sum;
    sum = next;
  }
  return sum + compensation;
}

function largestGap(gaps: GapRuns): number {
  let max = -Infinity;
  for (let run = 0; run < gaps.length; run++) {
    max = Math.max(max, gaps.firstMs[run]!, gapAt(gaps, run, gaps.steps[run]! - 1));
  }
  return max;
}

function gapAt(gaps: GapRuns, run: number, position: number): number {
  return gaps.firstMs[run]! + position * gaps.deltaMs[run]!;
}

function wholeRuns(gaps: GapRuns): Parts {
  const run = new Int32Array(gaps.length);
  for (let i = 0; i < run.length; i++) run[i] = i;
  return {
    length: gaps.length,
    run,
    from: new Int32Array(gaps.length),
    to: gaps.steps.subarray(0, gaps.length),
  };
}

/** Fills in `value` of every wanted rank; ranks count within `parts`. */
function select(gaps: GapRuns, parts: Parts, wanted: readonly Wanted[]): void {
  const { min, max, positions } = extent(gaps, parts);
  if (min === max) {
    for (const one of wanted) one.value = min;
    return;
  }
  if (positions <= EXPAND_AT_MOST) {
    selectByExpanding(gaps, parts, wanted);
    return;
  }
  // More buckets split more runs over several of them, fewer leave more to look at again: the root is between.
  const buckets = Math.max(FEWEST_BUCKETS, Math.floor(Math.sqrt(parts.length)));
  const grid = { min, width: max - min, buckets };
  const spread = countStretches(gaps, parts, grid);
  const wantedIn = spreadOverBuckets(spread.weights, wanted);
  const partsIn = collectParts(gaps, parts, grid, spread, [...wantedIn.keys()]);
  for (const [bucket, ranks] of wantedIn) select(gaps, partsIn[bucket]!, ranks);
}

/** How parts lie over the buckets of a grid. */
interface Spread {
  /** Gaps in each bucket. */
  readonly weights: Float64Array;
  /** Stretches in each bucket. */
  readonly stretches: Int32Array;
  /** The buckets in which each part begins and ends; the first may be the higher. */
  readonly begins: Int32Array;
  readonly ends: Int32Array;
}

function countStretches(gaps: GapRuns, parts: Parts, grid: Grid): Spread {
  const weights = new Float64Array(grid.buckets);
  const stretches = new Int32Array(grid.buckets);
  const begins = new Int32Array(parts.length);
  const ends = new Int32Array(parts.length);
  const count: OnStretch = (bucket, run, from, to) => {
    weights[bucket]! += (to - from) * gaps.weight[run]!;
    stretches[bucket]!++;
  };
  for (let i = 0; i < parts.length; i++) {
    const run = parts.run[i]!;
    const from = parts.from[i]!;
    const to = parts.to[i]!;
    begins[i] = bucketOf(grid, gapAt(gaps, run, from));
    ends[i] = to - from === 1 ? begins[i]! : bucketOf(grid, gapAt(gaps, run, to - 1));
    forEachStretch(gaps, parts, grid, i, begins[i]!, ends[i]!, count);
  }
  return { weights, stretches, begins, ends };
}

/** The stretches of `parts` that lie in the buckets asked for, by bucket. */
function collectParts(
  gaps: GapRuns,
  parts: Parts,
  grid: Grid,
  { stretches, begins, ends }: Spread,
  wantedBuckets: readonly number[],
): (Parts | undefined)[] {
  const partsIn = new Array<Parts | undefined>(grid.buckets).fill(undefined);
  for (const bucket of wantedBuckets) {
    const length = stretches[bucket]!;
    partsIn[bucket] = {
      length,
      run: new Int32Array(length),
      from: new Int32Array(length),
      to: new Int32Array(length),
    };
  }
  // Buckets asked for that are below each bucket: few parts touch any.
  const askedBelow = new Int32Array(grid.buckets + 1);
  for (let bucket = 0; bucket < grid.buckets; bucket++) {
    askedBelow[bucket + 1] = askedBelow[bucket]! + (partsIn[bucket] === undefined ? 0 : 1);
  }
  const filled = new Int32Array(grid.buckets);
  const collect: OnStretch = (bucket, run, from, to) => {
    const held = partsIn[bucket];
    if (held === undefined) return;
    const at = filled[bucket]!++;
    held.run[at] = run;
    held.from[at] = from;
    held.to[at] = to;
  };
  for (let i = 0; i < parts.length; i++) {
    const low = Math.min(begins[i]!, ends[i]!);
    const high = Math.max(begins[i]!, ends[i]!);
    if (askedBelow[high + 1] === askedBelow[low]) continue;
    forEachStretch(gaps, parts, grid, i, begins[i]!, ends[i]!, collect);
  }
  return partsIn;
}

function extent(
  gaps: GapRuns,
  { length, run, from, to }: Parts,
): { min: number; max: number; positions: number } {
  let min = Infinity;
  let max = -Infinity;
  let positions = 0;
  for (let i = 0; i < length; i++) {
    const first = gapAt(gaps, run[i]!, from[i]!);
    const last = gapAt(gaps, run[i]!, to[i]! - 1);
    min = Math.min(min, first, last);
    max = Math.max(max, first, last);
    positions += to[i]! - from[i]!;
  }
  return { min, max, positions };
}

function selectByExpanding(gaps: GapRuns, parts: Parts, wanted: readonly Wanted[]): void {
  const expanded: { value: number; weight: number }[] = [];
  for (let i = 0; i < parts.length; i++) {
    const run = parts.run[i]!;
    for (let position = parts.from[i]!; position < parts.to[i]!; position++) {
      expanded.push({ value: gapAt(gaps, run, position), weight: gaps.weight[run]! });
    }
  }
  expanded.sort((a, b) => a.value - b.value);
  let seen = 0;
  let at = 0;
  for (const one of wanted.toSorted((a, b) => a.rank - b.rank)) {
    while (seen + expanded[at]!.weight <= one.rank) seen += expanded[at++]!.weight;
    one.value = expanded[at]!.value;
  }
}

/** Hands every wanted rank to the bucket that holds it, and makes the rank count within that bucket. */
function spreadOverBuckets(counts: Float64Array, wanted: readonly Wanted[]): Map<number, Wanted[]> {
  const wantedIn = new Map<number, Wanted[]>();
  let before = 0;
  let bucket = 0;
  for (const one of wanted.toSorted((a, b) => a.rank - b.rank)) {
    while (before + counts[bucket]! <= one.rank) before += counts[bucket++]!;
    one.rank -= before;
    const held = wantedIn.get(bucket);
    if (held === undefined) wantedIn.set(bucket, [one]);
    else held.push(one);
  }
  return wantedIn;
}

/** Equal-width buckets over `[min, min + width]`; width > 0. */
interface Grid {
  readonly min: number;
  readonly width: number;
  readonly buckets: number;
}

/** Never decreases as the gap grows, rounding included: that is what makes the counts exact. */
function bucketOf({ min, width, buckets }: Grid, gapMs: number): number {
  return Math.min(buckets - 1, Math.floor(((gapMs - min) / width) * buckets));
}

type OnStretch = (bucket: number, run: number, from: number, to: number) => void;

/** Calls `onStretch` for every stretch of part `i` that lies in one bucket; it begins and ends in those given. */
function forEachStretch(
  gaps: GapRuns,
  parts: Parts,
  grid: Grid,
  i: number,
  begins: number,
  ends: number,
  onStretch: OnStretch,
): void {
  const run = parts.run[i]!;
  const to = parts.to[i]!;
  let from = parts.from[i]!;
  let bucket = begins;
  while (bucket !== ends) {
    const end = endOfBucket(gaps, grid, bucket, run, from, to);
    onStretch(bucket, run, from, end);
    from = end;
    bucket = bucketOf(grid, gapAt(gaps, run, from));
  }
  onStretch(bucket, run, from, to);
}

/** First position after `from` outside `bucket`; there is one before `to`. */
function endOfBucket(
  gaps: GapRuns,
  grid: Grid,
  bucket: number,
  run: number,
  from: number,
  to: number,
): number {
  const delta = gaps.deltaMs[run]!;
  const edge = grid.min + ((delta > 0 ? bucket + 1 : bucket) / grid.buckets) * grid.width;
  const guess = Math.ceil((edge - gaps.firstMs[run]!) / delta);
  if (guess > from && guess < to) {
    const before = bucketOf(grid, gapAt(gaps, run, guess - 1));
    if (before === bucket && bucketOf(grid, gapAt(gaps, run, guess)) !== bucket) return guess;
  }
  let within = from;
  let beyond = to - 1;
  while (beyond - within > 1) {
    const middle = (within + beyond) >>> 1;
    if (bucketOf(grid, gapAt(gaps, run, middle)) === bucket) within = middle;
    else beyond = middle;
  }
  return beyond;
}
