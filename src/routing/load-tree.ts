import type { ChangeLog } from "./change-log.js";
import type { Worker } from "./types.js";

/** Of what the loads of a tree are made. */
export interface TreeLoads {
  /** Changes of what the two functions return. */
  readonly changes: readonly ChangeLog[];
  /** The load of a worker, finite. */
  load(worker: Worker): number;
  /** Ranks workers of equal load, lowest first. */
  second(worker: Worker): number;
}

/**
 * The loads of a list of workers as a tournament: each node knows the lowest pair (load, second) below it, how
 * many workers have it, and the highest load. A change costs a walk to the root, so that the least loaded of n
 * workers, or any one of them by number, is known in log n steps.
 */
export class LoadTree {
  private readonly loads: TreeLoads;
  /** Workers in fleet order, one leaf each; a list that is never changed in place. */
  private members: readonly Worker[] = [];
  private readonly placeOf: Int32Array;
  /** Number of leaves, a power of two: node i is above nodes 2i and 2i + 1, node 1 is the root. */
  private leaves = 1;
  private low = new Float64Array(2);
  private second = new Float64Array(2);
  private counts = new Int32Array(2);
  private high = new Float64Array(2);
  /** How far each log has been read. */
  private readonly read: number[];

  /** Sum of the loads and of their squares; exact for integers below 2^53. */
  sum = 0;
  squares = 0;

  constructor(fleetSize: number, loads: TreeLoads) {
    this.loads = loads;
    this.placeOf = new Int32Array(fleetSize).fill(-1);
    this.read = loads.changes.map(() => 0);
  }

  /** Catches up with all changes; `members` are at least one worker, in fleet order. */
  update(members: readonly Worker[]): void {
    const { changes } = this.loads;
    const { read } = this;
    let unread = 0;
    for (let log = 0; log < changes.length; log++) unread += changes[log]!.count - read[log]!;
    if (members !== this.members) this.adopt(members);
    // From here on building anew costs less than as many walks to the root.
    else if (4 * unread > members.length) this.build();
    else if (unread > 0) this.refreshAll();
    for (let log = 0; log < changes.length; log++) read[log] = changes[log]!.count;
  }

  get lowest(): number {
    return this.low[1]!;
  }

  get highest(): number {
    return this.high[1]!;
  }

  /** How many workers are lowest, by load and then by `second`. */
  get tied(): number {
    return this.counts[1]!;
  }

  /** The index of one of the lowest workers: they count from 0 in fleet order. */
  nth(number: number): number {
    const { leaves } = this;
    let node = 1;
    while (node < leaves) {
      node *= 2;
      const here = this.isLowest(node) ? this.counts[node]! : 0;
      if (number < here) continue;
      number -= here;
      node++;
    }
    return this.members[node - leaves]!.index;
  }

  /** How many of the lowest workers come before or at a worker index in fleet order. */
  countUpTo(worker: number): number {
    let count = 0;
    for (let node = this.leaves + this.firstPlaceAfter(worker); node > 1; node >>= 1) {
      if ((node & 1) === 1 && this.isLowest(node - 1)) count += this.counts[node - 1]!;
    }
    return count;
  }

  private adopt(members: readonly Worker[]): void {
    for (const { index } of this.members) this.placeOf[index] = -1;
    members.forEach(({ index }, place) => (this.placeOf[index] = place));
    this.members = members;
    // One leaf more than workers, which `countUpTo` can start from.
    while (this.leaves <= members.length) this.leaves *= 2;
    if (this.low.length !== 2 * this.leaves) {
      this.low = new Float64Array(2 * this.leaves);
      this.second = new Float64Array(2 * this.leaves);
      this.counts = new Int32Array(2 * this.leaves);
      this.high = new Float64Array(2 * this.leaves);
    }
    this.low.fill(Infinity, this.leaves);
    this.second.fill(Infinity, this.leaves);
    this.counts.fill(0, this.leaves);
    this.high.fill(-Infinity, this.leaves);
    this.build();
  }

  private build(): void {
    const { members, leaves, loads } = this;
    this.sum = 0;
    this.squares = 0;
    for (let place = 0; place < members.length; place++) {
      const load = loads.load(members[place]!);
      this.setLeaf(leaves + place, load, loads.second(members[place]!));
      this.sum += load;
      this.squares += load * load;
    }
    for (let node = leaves - 1; node > 0; node--) this.merge(node);
  }

  private refreshAll(): void {
    this.loads.changes.forEach((log, i) => {
      for (let change = this.read[i]!; change < log.count; change++) this.refresh(log.at(change));
    });
  }

  /** Works out a worker's load and what is above it, if it is a member. */
  private refresh(worker: number): void {
    const place = this.placeOf[worker]!;
    if (place < 0) return;
    const load = this.loads.load(this.members[place]!);
    const second = this.loads.second(this.members[place]!);
    const leaf = this.leaves + place;
    const before = this.low[leaf]!;
    if (load === before && second === this.second[leaf]) return;
    this.setLeaf(leaf, load, second);
    this.sum += load - before;
    this.squares += load * load - before * before;
    for (let node = leaf >> 1; node > 0 && this.merge(node); node >>= 1);
  }

  private setLeaf(leaf: number, load: number, second: number): void {
    this.low[leaf] = load;
    this.high[leaf] = load;
    this.second[leaf] = second;
    this.counts[leaf] = 1;
  }

  /** Works a node out from the two below it; false = it is as it was. */
  private merge(node: number): boolean {
    const { low, second, counts, high } = this;
    const left = 2 * node;
    const right = left + 1;
    const order = low[left]! - low[right]! || second[left]! - second[right]!;
    // NaN: both sides are empty.
    const from = order > 0 ? right : left;
    const count = order === 0 ? counts[left]! + counts[right]! : counts[from]!;
    const highest = Math.max(high[left]!, high[right]!);
    if (
      low[node] === low[from] &&
      second[node] === second[from] &&
      counts[node] === count &&
      high[node] === highest
    ) {
      return false;
    }
    low[node] = low[from]!;
    second[node] = second[from]!;
    counts[node] = count;
    high[node] = highest;
    return true;
  }

  private isLowest(node: number): boolean {
    return this.low[node] === this.low[1] && this.second[node] === this.second[1];
  }

  /** The place of the first member whose index is above a worker's, or the number of members. */
  private firstPlaceAfter(worker: number): number {
    let from = 0;
    let to = this.members.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.members[middle]!.index > worker) to = middle;
      else from = middle + 1;
    }
    return from;
  }
}
