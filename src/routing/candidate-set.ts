import type { Worker } from "./types.js";

/** Tells in one step whether a worker is one of some; reused from one decision to the next. */
export class CandidateSet {
  private readonly decisionOf: Int32Array;
  private decision = 0;

  constructor(fleetSize: number) {
    this.decisionOf = new Int32Array(fleetSize);
  }

  set(candidates: readonly Worker[]): void {
    this.decision++;
    for (const { index } of candidates) this.decisionOf[index] = this.decision;
  }

  has(worker: number): boolean {
    return this.decisionOf[worker] === this.decision;
  }
}
