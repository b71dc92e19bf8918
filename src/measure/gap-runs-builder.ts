import type { GapRuns } from "./records.js";

const WEIGHT_MAX = 0x7fffffff;

/**
 * Collects runs of token gaps while a simulation goes on. Columns double when full, nothing is allocated
 * per call. A run equal to the one before it (engines in lockstep, or one stretch reported twice) only adds
 * to its weight.
 */
export class GapRunsBuilder {
  #length = 0;
  #firstMs: Float64Array;
  #deltaMs: Float64Array;
  #steps: Int32Array;
  #weight: Int32Array;

  /** @param capacity Runs that there is room for at first, at least 1. */
  constructor(capacity = 1024) {
    this.#firstMs = new Float64Array(capacity);
    this.#deltaMs = new Float64Array(capacity);
    this.#steps = new Int32Array(capacity);
    this.#weight = new Int32Array(capacity);
  }

  /** Runs held so far. */
  get length(): number {
    return this.#length;
  }

  /** The gaps `firstMs`, `firstMs + deltaMs`, ... (`steps` of them), each `weight` times. Empty runs are ignored. */
  add(firstMs: number, deltaMs: number, steps: number, weight: number): void {
    if (steps <= 0 || weight <= 0) return;
    const last = this.#length - 1;
    if (
      last >= 0 &&
      this.#firstMs[last] === firstMs &&
      this.#steps[last] === steps &&
      this.#deltaMs[last] === deltaMs &&
      this.#weight[last]! + weight <= WEIGHT_MAX
    ) {
      this.#weight[last]! += weight;
      return;
    }
    if (this.#length === this.#firstMs.length) this.#grow();
    const run = this.#length++;
    this.#firstMs[run] = firstMs;
    this.#deltaMs[run] = deltaMs;
    this.#steps[run] = steps;
    this.#weight[run] = weight;
  }

  /** The runs so far, as views of the builder's columns: take them when nothing more is added. */
  build(): GapRuns {
    return {
      length: this.#length,
      firstMs: this.#firstMs.subarray(0, this.#length),
      deltaMs: this.#deltaMs.subarray(0, this.#length),
      steps: this.#steps.subarray(0, this.#length),
      weight: this.#weight.subarray(0, this.#length),
    };
  }

  #grow(): void {
    const capacity = this.#firstMs.length * 2;
    const firstMs = new Float64Array(capacity);
    const deltaMs = new Float64Array(capacity);
    const steps = new Int32Array(capacity);
    const weight = new Int32Array(capacity);
    firstMs.set(this.#firstMs);
    deltaMs.set(this.#deltaMs);
    steps.set(this.#steps);
    weight.set(this.#weight);
    this.#firstMs = firstMs;
    this.#deltaMs = deltaMs;
    this.#steps = steps;
    this.#weight = weight;
  }
}
