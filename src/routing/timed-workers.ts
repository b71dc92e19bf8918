/** Events at workers in order of time: a ring that grows. */
export class TimedWorkers {
  private times = new Float64Array(64);
  private workers = new Int32Array(64);
  private first = 0;
  private count = 0;

  /** When the first event was; Infinity when there is none. */
  get firstMs(): number {
    return this.count === 0 ? Infinity : this.times[this.first]!;
  }

  /** @param atMs not before any event that is there. */
  push(worker: number, atMs: number): void {
    if (this.count === this.times.length) this.grow();
    const last = (this.first + this.count++) & (this.times.length - 1);
    this.times[last] = atMs;
    this.workers[last] = worker;
  }

  /** Takes the first event out and returns its worker; there must be one. */
  shift(): number {
    const worker = this.workers[this.first]!;
    this.first = (this.first + 1) & (this.times.length - 1);
    this.count--;
    return worker;
  }

  private grow(): void {
    const { times, workers, first, count } = this;
    this.times = new Float64Array(2 * count);
    this.workers = new Int32Array(2 * count);
    for (let i = 0; i < count; i++) {
      const from = (first + i) & (count - 1);
      this.times[i] = times[from]!;
      this.workers[i] = workers[from]!;
    }
    this.first = 0;
  }
}
