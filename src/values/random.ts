import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** A seeded stream of random numbers. Everything random in pdbench takes one of these. */
export interface Random {
  /** Uniform in [0, 1). */
  nextFloat(): number;
  /** Uniform integer in [0, bound). */
  nextInt(bound: number): number;
}

/**
 * The stream called `name` under `seed`. Streams of different names are independent, so that drawing more
 * numbers for one purpose never shifts another (common random numbers across the points of a sweep).
 */
export function randomStream(seed: number, name: string): Random {
  const generator = xoroshiro128plus(mixSeed(seed, name));
  return {
    nextFloat: () => uniformFloat64(generator),
    nextInt: (bound) => uniformInt(generator, 0, bound - 1),
  };
}

/**
 * A stream of random numbers for each of many items, which are told apart by a number: what is drawn for one
 * does not depend on whether, or how often, anything was drawn for another. Two runs that differ in one
 * decision therefore draw the same numbers for all later ones.
 *
 * The numbers are those of pure-rand's xoroshiro128plus under the item's seed. Its state stands here, since an
 * object for each item would cost more than all else in many a decision.
 */
export class ItemRandom implements Random {
  private readonly seed: number;
  private item = 0;
  /** Whether the state is that of `item`: most items draw nothing. */
  private isSeeded = false;
  private s00 = 0;
  private s01 = 0;
  private s10 = 0;
  private s11 = 0;

  constructor(seed: number, name: string) {
    this.seed = mixSeed(seed, name);
  }

  /** The numbers drawn from now on are those of `item`, from its first. */
  begin(item: number): void {
    this.item = item;
    this.isSeeded = false;
  }

  /** The seed of an item's stream, a signed 32-bit integer. */
  seedOf(item: number): number {
    return finalised(this.seed ^ Math.imul(item, 0x9e3779b1));
  }

  nextFloat(): number {
    const upper = this.next() & 0x3ffffff;
    return upper * 2 ** -26 + (this.next() & 0x7ffffff) * 2 ** -53;
  }

  nextInt(bound: number): number {
    // Above the last whole multiple of the bound, numbers would favour the low ones.
    const below = bound > 2 ? Math.floor(2 ** 32 / bound) * bound : 2 ** 32;
    let drawn = this.next() + 2 ** 31;
    while (drawn >= below) drawn = this.next() + 2 ** 31;
    return drawn % bound;
  }

  /** A signed 32-bit integer. */
  private next(): number {
    if (!this.isSeeded) this.seedState();
    const { s00, s01, s10, s11 } = this;
    const a0 = s10 ^ s00;
    const a1 = s11 ^ s01;
    this.s00 = (s00 << 24) ^ (s01 >>> 8) ^ a0 ^ (a0 << 16);
    this.s01 = (s01 << 24) ^ (s00 >>> 8) ^ a1 ^ ((a1 << 16) | (a0 >>> 16));
    this.s10 = (a1 << 5) ^ (a0 >>> 27);
    this.s11 = (a0 << 5) ^ (a1 >>> 27);
    return (s00 + s10) | 0;
  }

  private seedState(): void {
    const seed = this.seedOf(this.item);
    this.s01 = -1;
    this.s00 = ~seed;
    this.s11 = seed | 0;
    this.s10 = 0;
    this.isSeeded = true;
  }
}

/** FNV-1a over the name, mixed with the seed. */
function mixSeed(seed: number, name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return finalised(hash ^ Math.imul(seed | 0, 0x9e3779b1) ^ Math.floor(seed / 4294967296));
}

/** The finaliser of MurmurHash3: every bit of the result depends on every bit of `hash`. */
function finalised(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
