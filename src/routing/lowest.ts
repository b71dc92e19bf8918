import type { Random } from "../values/random.js";
import { choice } from "./parameters.js";

/** How a policy chooses among workers that are equally good. */
export const TIES = choice(
  "ties",
  "random",
  ["random", "rotating", "first"],
  "Among equally good workers: a seeded random one, the next after the last one chosen, or the first in fleet order.",
);

export type Ties = "random" | "rotating" | "first";

/**
 * Finds the lowest of the values it is offered and settles ties, which stand in the order of their offers. One
 * instance serves a policy for its life, so a decision allocates nothing.
 */
export class Lowest {
  private readonly ties: Ties;
  private readonly tied: Int32Array;
  private count = 0;
  private second = Infinity;

  /** The lowest value offered since `reset`; Infinity when there was none. */
  value = Infinity;

  /** The item last taken, or -1: where ties rotate, the next one follows it. */
  last = -1;

  constructor(capacity: number, ties: Ties) {
    this.ties = ties;
    this.tied = new Int32Array(capacity);
  }

  reset(): void {
    this.count = 0;
    this.value = Infinity;
    this.second = Infinity;
  }

  /** @param second Settles equal values, lowest first, before ties are. */
  offer(item: number, value: number, second = 0): void {
    if (value > this.value || (value === this.value && second > this.second)) return;
    if (value < this.value || second < this.second) {
      this.value = value;
      this.second = second;
      this.count = 0;
    }
    this.tied[this.count++] = item;
  }

  /** The item of the lowest value, or -1 when nothing was offered. */
  take(random: Random): number {
    if (this.count === 0) return -1;
    this.last = this.tied[this.settle(random)]!;
    return this.last;
  }

  /** As `take`, where offers came in any order: ties stand in order of `item`. */
  takeSorted(random: Random): number {
    if (this.count > 1) this.tied.subarray(0, this.count).sort();
    return this.take(random);
  }

  private settle(random: Random): number {
    if (this.count === 1 || this.ties === "first") return 0;
    if (this.ties === "random") return random.nextInt(this.count);
    for (let i = 0; i < this.count; i++) if (this.tied[i]! > this.last) return i;
    return 0;
  }
}
