import { distributionFrom, emptyDistribution, PERCENTILES } from "./distribution.js";
import type { Distribution } from "./summary.js";

/** Buckets of one octave, as a power of two: a bucket is 1/512 of its octave's lower end wide. */
const BITS = 9;
/** Values below 2^-20 ms, a nanosecond, count as 0. */
const LOWEST_EXPONENT = -20;
/** Values up to 2^40 ms, 35 years. */
const OCTAVES = 60;
const FLOAT64_EXPONENT_BIAS = 1023;
const BASE = (FLOAT64_EXPONENT_BIAS + LOWEST_EXPONENT) << BITS;

/** A percentile of a sketch is off by at most this share of itself: half a bucket. */
export const SKETCH_RELATIVE_ERROR = 2 ** -(BITS + 1);

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
/** Which of the two words of a double has its exponent. */
const HIGH = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0;

/**
 * The distribution of a sample of any length in constant memory: counts in buckets of equal relative width, 512 an
 * octave. A bucket is read off the bits of the number, so counting a value costs no logarithm.
 *
 * Mean and maximum are exact, summed in the order of the values. Percentiles are off by `SKETCH_RELATIVE_ERROR` at
 * most, or by a nanosecond near 0.
 */
export class QuantileSketch {
  private readonly counts = new Float64Array(OCTAVES << BITS);
  private zeros = 0;
  private count = 0;
  private sum = 0;
  private compensation = 0;
  private min = Infinity;
  private max = -Infinity;

  /** One value, ms; NaN stands for "not measured" and is left out. */
  add(value: number): void {
    if (Number.isNaN(value)) return;
    this.countIn(bucketOf(value), 1);
    this.count++;
    this.sum += value;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
  }

  /** The values `first`, `first + delta`, ... (`steps` of them), each `weight` times. */
  addRun(first: number, delta: number, steps: number, weight: number): void {
    const last = first + (steps - 1) * delta;
    this.count += steps * weight;
    this.addCompensated(weight * (steps * first + (delta * (steps * (steps - 1))) / 2));
    this.min = Math.min(this.min, first, last);
    this.max = Math.max(this.max, first, last);
    const lastBucket = bucketOf(last);
    let from = 0;
    for (let bucket = bucketOf(first); bucket !== lastBucket; bucket = bucketOf(first + from * delta)) {
      const end = endOfBucket(bucket, first, delta, from, steps);
      this.countIn(bucket, (end - from) * weight);
      from = end;
    }
    this.countIn(lastBucket, (steps - from) * weight);
  }

  /** Mean, percentiles (type 7, of bucket middles) and maximum. */
  distribution(): Distribution {
    if (this.count === 0) return emptyDistribution();
    const percentiles = PERCENTILES.map((share) => this.percentile(share));
    return distributionFrom((this.sum + this.compensation) / this.count, percentiles, this.max);
  }

  private percentile(share: number): number {
    const index = (this.count - 1) * share;
    const below = Math.floor(index);
    const low = this.atRank(below);
    const high = this.atRank(Math.ceil(index));
    return low + (index - below) * (high - low);
  }

  /** The value with `rank` smaller or equal ones before it, counted from 0. */
  private atRank(rank: number): number {
    let before = this.zeros;
    if (rank < before) return Math.max(this.min, 0);
    let bucket = 0;
    while (before + this.counts[bucket]! <= rank) before += this.counts[bucket++]!;
    const middle = (lowerEnd(bucket) + lowerEnd(bucket + 1)) / 2;
    return Math.min(Math.max(middle, this.min), this.max);
  }

  private countIn(bucket: number, count: number): void {
    if (bucket < 0) this.zeros += count;
    else this.counts[Math.min(bucket, this.counts.length - 1)]! += count;
  }

  /** Neumaier's sum: a term is small beside the total. */
  private addCompensated(term: number): void {
    const next = this.sum + term;
    this.compensation +=
      Math.abs(this.sum) >= Math.abs(term) ? this.sum - next + term : term - next + this.sum;
    this.sum = next;
  }
}

/** Exponent and first bits of the mantissa; negative below the first bucket. Never falls as the value grows. */
function bucketOf(value: number): number {
  if (value < 0) return -1;
  float[0] = value;
  return (words[HIGH]! >>> (20 - BITS)) - BASE;
}

function lowerEnd(bucket: number): number {
  const octave = bucket >> BITS;
  const within = bucket & ((1 << BITS) - 1);
  return 2 ** (octave + LOWEST_EXPONENT) * (1 + within / (1 << BITS));
}

/** First position after `from` outside `bucket`; there is one before `steps`. */
function endOfBucket(bucket: number, first: number, delta: number, from: number, steps: number): number {
  const edge = delta > 0 ? lowerEnd(bucket + 1) : lowerEnd(bucket);
  let end = Math.min(Math.max(Math.ceil((edge - first) / delta), from + 1), steps - 1);
  // Rounding may have put the guess a step aside.
  while (end > from + 1 && bucketOf(first + (end - 1) * delta) !== bucket) end--;
  while (bucketOf(first + end * delta) === bucket) end++;
  return end;
}
