/**
 * The earliest of a fixed set of clocks: a winner tree with one leaf per entity.
 *
 * An engine has exactly one next event, so there is nothing to queue: a change costs log2(n) comparisons
 * and finding the earliest costs none. Equal times go to the lower index.
 */
export class Earliest {
  private readonly leaves: number;
  private readonly timeMs: Float64Array;
  /** Winner (entity index) of each inner node; node 1 is the root. */
  private readonly winner: Int32Array;

  constructor(entities: number) {
    let leaves = 1;
    while (leaves < entities) leaves *= 2;
    this.leaves = leaves;
    this.timeMs = new Float64Array(leaves).fill(Infinity);
    this.winner = new Int32Array(2 * leaves);
    for (let i = 0; i < leaves; i++) this.winner[leaves + i] = i;
    for (let node = leaves - 1; node >= 1; node--) this.winner[node] = this.winner[2 * node]!;
  }

  /** Sets the next time of one entity; Infinity = nothing to come. */
  set(entity: number, atMs: number): void {
    const { timeMs, winner } = this;
    if (timeMs[entity] === atMs) return;
    timeMs[entity] = atMs;
    for (let node = (this.leaves + entity) >> 1; node >= 1; node >>= 1) {
      const left = winner[2 * node]!;
      const right = winner[2 * node + 1]!;
      winner[node] = timeMs[right]! < timeMs[left]! ? right : left;
    }
  }

  /** The entity whose time comes first. */
  entity(): number {
    return this.winner[1]!;
  }

  /** That time; Infinity when there is none. */
  atMs(): number {
    return this.timeMs[this.winner[1]!]!;
  }
}
