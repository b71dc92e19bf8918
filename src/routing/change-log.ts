/**
 * Which workers' values have changed, for readers that keep something worked out from them: each remembers how
 * far it has read and takes the rest when it is asked something. What is older than the log reaches back must be
 * worked out anew.
 */
export class ChangeLog {
  private readonly workers: Int32Array;
  private readonly mask: number;

  /** Changes since the beginning. */
  count = 0;

  constructor(fleetSize: number) {
    let length = 64;
    while (length < fleetSize) length *= 2;
    this.workers = new Int32Array(length);
    this.mask = length - 1;
  }

  /** How many changes back the log reaches. */
  get reach(): number {
    return this.workers.length;
  }

  add(worker: number): void {
    this.workers[this.count++ & this.mask] = worker;
  }

  /** Any value may have changed. */
  addAll(): void {
    this.count += this.reach + 1;
  }

  /** The worker of a change, which the log must still reach. */
  at(change: number): number {
    return this.workers[change & this.mask]!;
  }
}
