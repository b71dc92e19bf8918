import { quantile } from "simple-statistics";

/** The last values of a figure, for percentiles while a run goes on. */
export class Recent {
  private readonly values: Float64Array;
  private count = 0;

  constructor(kept: number) {
    this.values = new Float64Array(kept);
  }

  add(value: number): void {
    this.values[this.count++ % this.values.length] = value;
  }

  /** NaN while there is no value. */
  percentile(share: number): number {
    const known = this.values.subarray(0, Math.min(this.count, this.values.length));
    return known.length === 0 ? Number.NaN : quantile([...known], share);
  }
}
