import { ChangeLog } from "../change-log.js";
import { LowestLoad } from "../lowest-load.js";
import { TIES } from "../lowest.js";
import { integer, number, type Values } from "../parameters.js";
import { policySpec, type PolicySetup } from "../specs.js";
import type { LegDecision, Policy, PolicyContext, RoutingRequest, Worker } from "../types.js";

const PARAMETERS = [
  integer("initial_max_units", 4096, { min: 1, unit: "units" }, "Longest prompt expected at first."),
  number(
    "window_s",
    5,
    { min: 0, exclusiveMin: true, unit: "s" },
    "Time over which load is summed and ranges are set anew.",
  ),
  number(
    "bucket_balance_abs_units",
    64,
    { min: 0, unit: "units" },
    "Load counts as unbalanced when it differs by more units than this, and by more than bucket_balance_rel.",
  ),
  number(
    "bucket_balance_rel",
    1.5,
    { min: 1, unit: "ratio" },
    "Load counts as unbalanced when the highest is more than this times the lowest.",
  ),
  TIES,
] as const;

type Params = Values<typeof PARAMETERS>;

/**
 * Each worker takes prompts of one range of lengths; the ranges follow the traffic.
 *
 * ```
 * load(w) = units sent to w in the last window
 * max - min > bucket_balance_abs_units && max > bucket_balance_rel * min -> lowest load
 * else the worker of the range that holds the prompt's length
 * every window: L = units of the window / workers; unless old L / 2 <= L <= 2 * old L the ranges are set so that
 *               the window's prompts, by length, are cut into parts of equal units
 * ```
 * The first ranges split `initial_max_units` evenly; the last range is open. While a range's worker is down,
 * its prompts go to the lowest load (SMG does not look at health).
 */
export const bucket = policySpec({
  name: "bucket",
  summary: "Each worker takes prompts of one range of lengths, and the ranges follow the traffic.",
  source: "SMG `bucket`",
  parameters: PARAMETERS,
  create: (params, setup) => new Bucket(params, setup),
});

interface Sent {
  readonly atMs: number;
  readonly worker: number;
  readonly units: number;
}

class Bucket implements Policy {
  readonly name = "bucket";
  private readonly params: Params;
  private workers: readonly Worker[];
  /** Longest prompt of each worker's range, in order of the workers; the last is Infinity. */
  private upTo: readonly number[];
  private readonly load: Float64Array;
  private window: Sent[] = [];
  private first = 0;
  private nextAdjustMs: number;
  private share: number;
  private readonly loadChanges: ChangeLog;
  private readonly least: LowestLoad;

  constructor(params: Params, { workers, fleetSize }: PolicySetup) {
    this.params = params;
    this.workers = workers;
    this.share = params.initial_max_units / Math.max(1, workers.length);
    this.upTo = evenRanges(this.share, workers.length);
    this.load = new Float64Array(fleetSize);
    this.nextAdjustMs = params.window_s * 1000;
    this.loadChanges = new ChangeLog(fleetSize);
    this.least = new LowestLoad(fleetSize, params.ties, {
      changes: () => [this.loadChanges],
      of: ({ index }) => this.load[index]!,
    });
  }

  pick(candidates: readonly Worker[], { prefix }: RoutingRequest, context: PolicyContext): LegDecision {
    this.moveWindow(context.nowMs);
    const { bucket_balance_abs_units: abs, bucket_balance_rel: rel } = this.params;
    this.least.look(candidates, context);
    const { lowest, highest } = this.least;
    const figures = { units: prefix.totalUnits, min_load: lowest, max_load: highest };
    if (highest - lowest > abs && highest > rel * lowest) {
      return { worker: this.least.take(context.random), policy: this.name, branch: "balance", figures };
    }
    const owner = this.workers[rangeOf(prefix.totalUnits, this.upTo)]!;
    if (context.candidateSet.has(owner.index)) {
      return { worker: owner.index, policy: this.name, branch: "bucket", figures };
    }
    return { worker: this.least.take(context.random), policy: this.name, branch: "owner_down", figures };
  }

  onRouted({ worker }: LegDecision, { prefix }: RoutingRequest, nowMs: number): void {
    this.window.push({ atMs: nowMs, worker, units: prefix.totalUnits });
    this.load[worker]! += prefix.totalUnits;
    this.loadChanges.add(worker);
  }

  onWorkersChanged(workers: readonly Worker[]): void {
    this.workers = workers;
    this.upTo = evenRanges(this.share, workers.length);
  }

  private moveWindow(nowMs: number): void {
    const windowMs = this.params.window_s * 1000;
    if (nowMs >= this.nextAdjustMs) {
      this.forgetBefore(this.nextAdjustMs - windowMs);
      this.adjust();
      this.nextAdjustMs = (Math.floor(nowMs / windowMs) + 1) * windowMs;
    }
    this.forgetBefore(nowMs - windowMs);
    if (2 * this.first > this.window.length) {
      this.window = this.window.slice(this.first);
      this.first = 0;
    }
  }

  private forgetBefore(sinceMs: number): void {
    while (this.first < this.window.length && this.window[this.first]!.atMs < sinceMs) {
      const { worker, units } = this.window[this.first++]!;
      this.load[worker]! -= units;
      this.loadChanges.add(worker);
    }
  }

  private adjust(): void {
    const lengths = this.window.slice(this.first).map(({ units }) => units);
    const total = lengths.reduce((sum, units) => sum + units, 0);
    const share = total / this.workers.length;
    if (total === 0 || (share >= this.share / 2 && share <= this.share * 2)) return;
    this.share = share;
    lengths.sort((a, b) => a - b);
    const upTo: number[] = [];
    let sum = 0;
    for (const units of lengths) {
      sum += units;
      while (upTo.length + 1 < this.workers.length && sum >= share * (upTo.length + 1)) upTo.push(units);
    }
    while (upTo.length + 1 < this.workers.length) upTo.push(lengths[lengths.length - 1]!);
    this.upTo = [...upTo, Infinity];
  }
}

/** The first range that reaches up to `units`. */
function rangeOf(units: number, upTo: readonly number[]): number {
  let from = 0;
  let to = upTo.length - 1;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (units <= upTo[middle]!) to = middle;
    else from = middle + 1;
  }
  return from;
}

/** `count` ranges of one length, the last of them open. */
function evenRanges(length: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => (i + 1 < count ? length * (i + 1) : Infinity));
}
