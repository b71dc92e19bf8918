import { distributionOf } from "../measure/distribution.js";
import type { Distribution } from "../measure/summary.js";

/**
 * The last observations of a kind, with the worker each belongs to. Adding one costs three array writes, since
 * every chunk of every stream is observed; whoever asks for percentiles pays for them.
 */
export class RecentSamples {
  private readonly atMs: Float64Array;
  private readonly values: Float64Array;
  private readonly workers: Int32Array;
  private added = 0;

  /** @param capacity Observations kept; a power of two. */
  constructor(capacity: number) {
    this.atMs = new Float64Array(capacity);
    this.values = new Float64Array(capacity);
    this.workers = new Int32Array(capacity);
  }

  add(nowMs: number, value: number, worker: number): void {
    const place = this.added++ & (this.values.length - 1);
    this.atMs[place] = nowMs;
    this.values[place] = value;
    this.workers[place] = worker;
  }

  /** Of the observations since `sinceMs` that are kept, of one worker or, when that is null, of all. */
  since(sinceMs: number, worker: number | null): Distribution {
    const kept = Math.min(this.added, this.values.length);
    const found = new Float64Array(kept);
    let count = 0;
    for (let i = 0; i < kept; i++) {
      const isWanted = this.atMs[i]! >= sinceMs && (worker === null || this.workers[i] === worker);
      if (isWanted) found[count++] = this.values[i]!;
    }
    return distributionOf(found.subarray(0, count));
  }
}
