import { QuantileSketch } from "./quantile-sketch.js";
import type { Distribution } from "./summary.js";

/** The distribution of token gaps in constant memory; like `GapRunsBuilder` it puts equal runs that follow each other together. */
export class GapSketch {
  private readonly sketch = new QuantileSketch();
  private firstMs = 0;
  private deltaMs = 0;
  private steps = 0;
  private weight = 0;

  /** The gaps `firstMs`, `firstMs + deltaMs`, ... (`steps` of them), each `weight` times. Empty runs are ignored. */
  add(firstMs: number, deltaMs: number, steps: number, weight: number): void {
    if (steps <= 0 || weight <= 0) return;
    if (this.firstMs === firstMs && this.deltaMs === deltaMs && this.steps === steps) {
      this.weight += weight;
      return;
    }
    this.flush();
    this.firstMs = firstMs;
    this.deltaMs = deltaMs;
    this.steps = steps;
    this.weight = weight;
  }

  distribution(): Distribution {
    this.flush();
    return this.sketch.distribution();
  }

  private flush(): void {
    if (this.weight > 0) this.sketch.addRun(this.firstMs, this.deltaMs, this.steps, this.weight);
    this.weight = 0;
    this.steps = 0;
  }
}
