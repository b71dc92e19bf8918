import { NumberList } from "../values/number-list.js";

/** Bandwidth and latency of the network between the prefill and the decode engines. */
export interface NetworkLinks {
  /** Bandwidth out of each sender, Gbit/s; Infinity = free. */
  readonly senderGbps: readonly number[];
  /** Bandwidth into each receiver, Gbit/s; Infinity = free. */
  readonly receiverGbps: readonly number[];
  /** From the start of a transfer to its first byte. */
  readonly latencyMs: number;
  /** False: every transfer has both links to itself. */
  readonly contention: boolean;
}

const BYTES_PER_MS_PER_GBPS = 1e9 / 8 / 1e3;
/** Rate of a transfer whose first byte flows now and whose rate is not yet known. */
const OPENING = -1;

/**
 * Transfers over shared links, as fluids. After its latency a transfer flows at
 * `min(sender bandwidth / transfers open at the sender, receiver bandwidth / transfers open at the receiver)`;
 * rates change whenever a transfer begins to flow or ends. Without contention it flows at the slower of its two
 * links. Times never run backwards: `start`, `cancel` and
 * `advance` take non-decreasing times, and what happens until then happens first.
 */
export class TransferNetwork {
  private readonly senderRate: Float64Array;
  private readonly receiverRate: Float64Array;
  private readonly latencyMs: number;
  private readonly contention: boolean;
  private readonly senderOpen: Int32Array;
  private readonly receiverOpen: Int32Array;

  // Transfers as columns; the first `count` rows are in flight.
  private count = 0;
  private ids = new Float64Array(16);
  private sender = new Int32Array(16);
  private receiver = new Int32Array(16);
  private remaining = new Float64Array(16);
  /** Bytes per ms; 0 until the first byte flows. */
  private rate = new Float64Array(16);
  /** Time of the first byte (rate 0) or, at the present rate, of the last. */
  private nextMs = new Float64Array(16);

  private clockMs = -Infinity;
  private earliestMs = Infinity;
  private moved = 0;
  /** Completions that nobody has been told of, in order of time, with those times. */
  private completed = new NumberList();
  private readonly completedMs = new NumberList();
  /** What `advance` gave last. */
  private told = new NumberList();

  constructor(links: NetworkLinks) {
    this.senderRate = Float64Array.from(links.senderGbps, (gbps) => gbps * BYTES_PER_MS_PER_GBPS);
    this.receiverRate = Float64Array.from(links.receiverGbps, (gbps) => gbps * BYTES_PER_MS_PER_GBPS);
    this.latencyMs = links.latencyMs;
    this.contention = links.contention;
    this.senderOpen = new Int32Array(this.senderRate.length);
    this.receiverOpen = new Int32Array(this.receiverRate.length);
  }

  /** Begins to move `bytes`; `id` must not be in flight. */
  start(id: number, sender: number, receiver: number, bytes: number, nowMs: number): void {
    this.elapse(nowMs);
    if (this.count === this.ids.length) this.grow();
    const row = this.count++;
    this.ids[row] = id;
    this.sender[row] = sender;
    this.receiver[row] = receiver;
    this.remaining[row] = bytes;
    this.rate[row] = 0;
    this.nextMs[row] = nowMs + this.latencyMs;
    this.earliestMs = Math.min(this.earliestMs, this.nextMs[row]);
  }

  /**
   * Nothing completes before this time; Infinity when nothing is in flight. `advance` to it may complete
   * nothing, where a transfer only begins to flow then.
   */
  nextCompletionMs(): number {
    return this.completed.length > 0 ? this.clockMs : this.earliestMs;
  }

  /** Ids that completed up to and including `nowMs`, in order of (time, id); valid until the next call. */
  advance(nowMs: number): NumberList {
    this.elapse(nowMs);
    const { completed, told } = this;
    told.clear();
    this.completed = told;
    this.told = completed;
    this.completedMs.clear();
    return completed;
  }

  /** Ends a transfer; the bytes it has moved stay counted. Unknown ids are ignored. */
  cancel(id: number, nowMs: number): void {
    this.elapse(nowMs);
    const row = this.ids.subarray(0, this.count).indexOf(id);
    if (row < 0) {
      const at = [...this.completed].indexOf(id);
      if (at >= 0) {
        this.completed.remove(at);
        this.completedMs.remove(at);
      }
      return;
    }
    this.settle(row, nowMs);
    this.remove(row);
    this.schedule(nowMs);
  }

  /** Transfers that have not completed. */
  inFlight(): number {
    return this.count;
  }

  /** Bytes that have arrived until the last call. */
  get bytesMoved(): number {
    return this.moved;
  }

  private elapse(nowMs: number): void {
    while (this.earliestMs <= nowMs) this.happen(this.earliestMs);
    this.clockMs = Math.max(this.clockMs, nowMs);
  }

  /** All first and last bytes at `atMs`, then new rates for everyone. */
  private happen(atMs: number): void {
    this.clockMs = atMs;
    for (let row = this.count - 1; row >= 0; row--) {
      if (this.nextMs[row]! > atMs) continue;
      if (this.rate[row] === 0) {
        this.open(row);
      } else {
        this.settle(row, atMs);
        this.complete(this.ids[row]!, atMs);
        this.remove(row);
      }
    }
    this.schedule(atMs);
  }

  /** Notes a completion, behind those of the same time that have lower ids. */
  private complete(id: number, atMs: number): void {
    const { completed, completedMs } = this;
    let at = completed.length;
    while (at > 0 && completedMs.at(at - 1) === atMs && completed.at(at - 1) > id) at--;
    completed.insert(at, id);
    completedMs.insert(at, atMs);
  }

  private open(row: number): void {
    this.senderOpen[this.sender[row]!]!++;
    this.receiverOpen[this.receiver[row]!]!++;
    this.rate[row] = OPENING;
  }

  private fairRate(row: number): number {
    const sender = this.sender[row]!;
    const receiver = this.receiver[row]!;
    if (!this.contention) return Math.min(this.senderRate[sender]!, this.receiverRate[receiver]!);
    return Math.min(
      this.senderRate[sender]! / this.senderOpen[sender]!,
      this.receiverRate[receiver]! / this.receiverOpen[receiver]!,
    );
  }

  /** Counts what a flowing transfer has moved until `atMs`; one that is due has moved everything. */
  private settle(row: number, atMs: number): void {
    const rate = this.rate[row]!;
    if (rate <= 0) return;
    const left = this.nextMs[row]! <= atMs ? 0 : (this.nextMs[row]! - atMs) * rate;
    const bytes = Math.min(left, this.remaining[row]!);
    this.moved += this.remaining[row]! - bytes;
    this.remaining[row] = bytes;
  }

  /** Gives every flowing transfer its rate and finds the earliest event. */
  private schedule(nowMs: number): void {
    let earliest = Infinity;
    for (let row = 0; row < this.count; row++) {
      if (this.rate[row] !== 0) {
        const rate = this.fairRate(row);
        if (rate !== this.rate[row]) {
          this.settle(row, nowMs);
          this.rate[row] = rate;
          this.nextMs[row] = nowMs + this.remaining[row]! / rate;
        }
      }
      earliest = Math.min(earliest, this.nextMs[row]!);
    }
    this.earliestMs = earliest;
  }

  /** Takes a row out; the last row takes its place. */
  private remove(row: number): void {
    if (this.rate[row] !== 0) {
      this.senderOpen[this.sender[row]!]!--;
      this.receiverOpen[this.receiver[row]!]!--;
    }
    const last = --this.count;
    this.ids[row] = this.ids[last]!;
    this.sender[row] = this.sender[last]!;
    this.receiver[row] = this.receiver[last]!;
    this.remaining[row] = this.remaining[last]!;
    this.rate[row] = this.rate[last]!;
    this.nextMs[row] = this.nextMs[last]!;
  }

  private grow(): void {
    const size = 2 * this.ids.length;
    this.ids = widen(this.ids, new Float64Array(size));
    this.sender = widen(this.sender, new Int32Array(size));
    this.receiver = widen(this.receiver, new Int32Array(size));
    this.remaining = widen(this.remaining, new Float64Array(size));
    this.rate = widen(this.rate, new Float64Array(size));
    this.nextMs = widen(this.nextMs, new Float64Array(size));
  }
}

function widen<Column extends Float64Array | Int32Array>(from: Column, to: Column): Column {
  to.set(from);
  return to;
}
