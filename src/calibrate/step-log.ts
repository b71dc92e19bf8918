import type { DecodeLine, StepLoad, StepTimeModel } from "../engine/types.js";

/**
 * A step-time model that writes down what it was asked: the work done on the card until any time, as the terms
 * that a linear step time multiplies with its coefficients. For the plain engine only, which asks for every
 * step when it launches it; `nowMs` must be set to the time of the launch.
 */
export class StepLog implements StepTimeModel {
  nowMs = 0;
  private readonly inner: StepTimeModel;
  private readonly termsOf: (load: StepLoad) => readonly number[];
  private readonly startMs: number[] = [];
  private readonly endMs: number[] = [];
  /** Sums of the terms of all steps before step `k`. */
  private readonly before: (readonly number[])[] = [];
  private sums: readonly number[];

  /** @param termsOf the terms of a step, always of one length */
  constructor(inner: StepTimeModel, terms: number, termsOf: (load: StepLoad) => readonly number[]) {
    this.inner = inner;
    this.termsOf = termsOf;
    this.sums = new Array<number>(terms).fill(0);
  }

  stepMs(load: StepLoad): number {
    const ms = this.inner.stepMs(load);
    const startMs = Math.max(this.nowMs, this.endMs.at(-1) ?? 0);
    const terms = this.termsOf(load);
    this.startMs.push(startMs);
    this.endMs.push(startMs + ms);
    this.before.push(this.sums);
    this.sums = this.sums.map((sum, j) => sum + terms[j]!);
    return ms;
  }

  decodeLine(decodes: number, contextTokens: number, out: DecodeLine, maxContextTokens: number): void {
    this.inner.decodeLine(decodes, contextTokens, out, maxContextTokens);
  }

  /** Sums of the terms of what was computed from `fromMs` to `untilMs`; a step in part counts in part. */
  workBetween(fromMs: number, untilMs: number): readonly number[] {
    const from = this.workUntil(fromMs);
    return this.workUntil(untilMs).map((sum, j) => sum - from[j]!);
  }

  private workUntil(atMs: number): readonly number[] {
    const step = this.stepAt(atMs);
    if (step < 0) return this.sums.map(() => 0);
    const before = this.before[step]!;
    const after = this.before[step + 1] ?? this.sums;
    const share = Math.min(1, (atMs - this.startMs[step]!) / (this.endMs[step]! - this.startMs[step]!));
    return before.map((sum, j) => sum + share * (after[j]! - sum));
  }

  /** The last step that has begun at `atMs`, -1 before the first. */
  private stepAt(atMs: number): number {
    let low = -1;
    let high = this.startMs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.startMs[middle]! <= atMs) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
