import { FbiHash } from "./fbi-hash.js";

/**
 * A consistent-hash ring of workers: each has `virtualNodes` points at the hash of `"<id>:<i>"`, and a key
 * belongs to the first point at or after its own hash. Where points collide the later worker keeps the place.
 */
export class HashRing {
  private readonly hash = new FbiHash();
  private readonly positionHi: Uint32Array;
  private readonly positionLo: Uint32Array;
  private readonly owner: Int32Array;

  constructor(workers: readonly { readonly id: string; readonly index: number }[], virtualNodes: number) {
    const owners = new Map<bigint, number>();
    for (const { id, index } of workers) {
      for (let i = 0; i < virtualNodes; i++) {
        this.hash.ofString(`${id}:${i}`);
        owners.set((BigInt(this.hash.hi) << 32n) | BigInt(this.hash.lo), index);
      }
    }
    const points = [...owners].sort(([a], [b]) => (a < b ? -1 : 1));
    this.positionHi = Uint32Array.from(points, ([position]) => Number(position >> 32n));
    this.positionLo = Uint32Array.from(points, ([position]) => Number(position & 0xffffffffn));
    this.owner = Int32Array.from(points, ([, index]) => index);
  }

  /** The point that a key belongs to. */
  pointOfKey(key: string): number {
    this.hash.ofString(key);
    return this.pointAt(this.hash.hi, this.hash.lo);
  }

  /** The point that a string of integers belongs to. */
  pointOfWords(words: Int32Array, length: number): number {
    this.hash.ofWords(words, length);
    return this.pointAt(this.hash.hi, this.hash.lo);
  }

  ownerOf(point: number): number {
    return this.owner[point]!;
  }

  /** The next point clockwise. */
  after(point: number): number {
    return point + 1 === this.owner.length ? 0 : point + 1;
  }

  get points(): number {
    return this.owner.length;
  }

  private pointAt(hi: number, lo: number): number {
    let low = 0;
    let high = this.owner.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const there = this.positionHi[middle]!;
      if (there < hi || (there === hi && this.positionLo[middle]! < lo)) low = middle + 1;
      else high = middle;
    }
    return low === this.owner.length ? 0 : low;
  }
}
