import type { RequestRecords } from "../measure/records.js";

/** Gaps of one decode worker's steps in order of time; entry `i` ends at `endMs[i]`. */
class StepLog {
  readonly endMs: number[] = [];
  readonly firstMs: number[] = [];
  readonly deltaMs: number[] = [];
  readonly steps: number[] = [];

  /** The first entry that ends after `atMs`. */
  after(atMs: number): number {
    let low = 0;
    let high = this.endMs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.endMs[middle]! > atMs) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

interface LateGap {
  readonly endMs: number;
  readonly gapMs: number;
}

/**
 * The 99th percentile of each request's own token gaps. A request has the gap of every step of its worker
 * between its first and its last token, except where it was passed over: there it has one longer gap, told
 * as late. So a log of steps per worker is enough, whatever the number of tokens.
 */
export class RequestGaps {
  private readonly logs: readonly StepLog[];
  private readonly late = new Map<number, LateGap[]>();
  /** When the engine gave the first token; the last comes with `finish`. */
  private readonly firstTokenMs: Float64Array;
  private readonly records: RequestRecords;
  private readonly unfinished = new Map<number, number>();
  private readonly largest: number[] = [];

  constructor(workers: number, records: RequestRecords) {
    this.logs = Array.from({ length: workers }, () => new StepLog());
    this.firstTokenMs = new Float64Array(records.count);
    this.records = records;
  }

  add(worker: number, firstMs: number, deltaMs: number, steps: number, endMs: number, lateRow: number): void {
    if (lateRow >= 0) {
      const gaps = this.late.get(lateRow);
      if (gaps === undefined) this.late.set(lateRow, [{ endMs, gapMs: firstMs }]);
      else gaps.push({ endMs, gapMs: firstMs });
      return;
    }
    const log = this.logs[worker]!;
    log.endMs.push(endMs);
    log.firstMs.push(firstMs);
    log.deltaMs.push(deltaMs);
    log.steps.push(steps);
  }

  firstToken(row: number, atMs: number): void {
    this.firstTokenMs[row] = atMs;
  }

  /** The last token; the gaps of its step may be told after it. */
  finish(row: number, atMs: number): void {
    this.unfinished.set(row, atMs);
  }

  /** Fills `itlP99Ms` of every finished request with two tokens or more. */
  write(): void {
    for (const [row, lastMs] of this.unfinished) {
      const gaps = this.records.outputTokens[row]! - 1;
      if (gaps > 0) this.records.itlP99Ms[row] = this.p99(row, lastMs, gaps);
    }
  }

  /** Type 7: between the order statistics around (gaps - 1) x 0.99. */
  private p99(row: number, lastMs: number, gaps: number): number {
    const position = (gaps - 1) * 0.99;
    const below = Math.floor(position);
    const wanted = gaps - below;
    this.collectLargest(row, lastMs, wanted);
    const low = this.largest[wanted - 1]!;
    const high = wanted >= 2 ? this.largest[wanted - 2]! : low;
    return low + (position - below) * (high - low);
  }

  /** Leaves the `wanted` largest gaps of a request in `largest`, in descending order. */
  private collectLargest(row: number, lastMs: number, wanted: number): void {
    const log = this.logs[this.records.decodeWorker[row]!]!;
    const late = this.late.get(row) ?? [];
    this.largest.length = 0;
    for (const { gapMs } of late) this.keep(gapMs, wanted);
    for (let entry = log.after(this.firstTokenMs[row]!); entry < log.endMs.length; entry++) {
      const endMs = log.endMs[entry]!;
      if (endMs > lastMs) break;
      const first = log.firstMs[entry]!;
      // Half a step away from the edge, where rounding of the start of the late gap does not matter.
      if (late.some((gap) => endMs <= gap.endMs && endMs - first / 2 > gap.endMs - gap.gapMs)) continue;
      const steps = log.steps[entry]!;
      const delta = log.deltaMs[entry]!;
      // Context grows, so the last gaps of a run are its largest.
      for (let i = steps - 1; i >= Math.max(0, steps - wanted); i--) this.keep(first + i * delta, wanted);
    }
  }

  private keep(gapMs: number, wanted: number): void {
    const { largest } = this;
    if (largest.length === wanted && gapMs <= largest[wanted - 1]!) return;
    let place = Math.min(largest.length, wanted - 1);
    while (place > 0 && largest[place - 1]! < gapMs) {
      largest[place] = largest[place - 1]!;
      place--;
    }
    largest[place] = gapMs;
  }
}
