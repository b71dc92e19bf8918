/**
 * What is due later: a binary heap of (time, kind, subject) in typed arrays. Entries of equal time come out
 * in the order they went in, so a run does not depend on the heap's shape.
 */
export class Agenda {
  private size = 0;
  private next = 0;
  private timeMs = new Float64Array(64);
  private order = new Float64Array(64);
  private kinds = new Uint8Array(64);
  private subjects = new Int32Array(64);

  /** Kind and subject of the entry taken by `pop`. */
  kind = 0;
  subject = 0;

  /** Time of the first entry; Infinity when empty. */
  atMs(): number {
    return this.size === 0 ? Infinity : this.timeMs[0]!;
  }

  push(atMs: number, kind: number, subject: number): void {
    if (this.size === this.timeMs.length) this.grow();
    let hole = this.size++;
    const order = this.next++;
    const { timeMs, order: orders } = this;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      // A later entry of equal time never overtakes, so comparing the time alone is enough on the way up.
      if (timeMs[parent]! <= atMs) break;
      this.move(parent, hole);
      hole = parent;
    }
    timeMs[hole] = atMs;
    orders[hole] = order;
    this.kinds[hole] = kind;
    this.subjects[hole] = subject;
  }

  /** Takes the first entry out; read it from `kind` and `subject`. */
  pop(): void {
    this.kind = this.kinds[0]!;
    this.subject = this.subjects[0]!;
    const last = --this.size;
    if (last === 0) return;
    const atMs = this.timeMs[last]!;
    const order = this.order[last]!;
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= last) break;
      if (child + 1 < last && this.before(child + 1, this.timeMs[child]!, this.order[child]!)) child++;
      if (!this.before(child, atMs, order)) break;
      this.move(child, hole);
      hole = child;
    }
    this.timeMs[hole] = atMs;
    this.order[hole] = order;
    this.kinds[hole] = this.kinds[last]!;
    this.subjects[hole] = this.subjects[last]!;
  }

  private before(entry: number, atMs: number, order: number): boolean {
    const entryMs = this.timeMs[entry]!;
    return entryMs < atMs || (entryMs === atMs && this.order[entry]! < order);
  }

  private move(from: number, to: number): void {
    this.timeMs[to] = this.timeMs[from]!;
    this.order[to] = this.order[from]!;
    this.kinds[to] = this.kinds[from]!;
    this.subjects[to] = this.subjects[from]!;
  }

  private grow(): void {
    const capacity = this.size * 2;
    const times = new Float64Array(capacity);
    times.set(this.timeMs);
    this.timeMs = times;
    const orders = new Float64Array(capacity);
    orders.set(this.order);
    this.order = orders;
    const kinds = new Uint8Array(capacity);
    kinds.set(this.kinds);
    this.kinds = kinds;
    const subjects = new Int32Array(capacity);
    subjects.set(this.subjects);
    this.subjects = subjects;
  }
}
