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
  return streamOf(mixSeed(seed, name));
}

/**
 * A stream of random numbers for each of many items, which are told apart by a number: what is drawn for one
 * does not depend on whether, or how often, anything was drawn for another. Two runs that differ in one
 * decision therefore draw the same numbers for all later ones.
 */
export class ItemRandom implements Random {
  private readonly seed: number;
  private item = 0;
  /** Made with the first number drawn for an item: most items draw none. */
  private stream: Random | null = null;

  constructor(seed: number, name: string) {
    this.seed = mixSeed(seed, name);
  }

  /** The numbers drawn from now on are those of `item`, from its first. */
  begin(item: number): void {
    this.item = item;
    this.stream = null;
  }

  nextFloat(): number {
    return this.started().nextFloat();
  }

  nextInt(bound: number): number {
    return this.started().nextInt(bound);
  }

  private started(): Random {
    this.stream ??= streamOf(finalised(this.seed ^ Math.imul(this.item, 0x9e3779b1)));
    return this.stream;
  }
}

function streamOf(seed: number): Random {
  const generator = xoroshiro128plus(seed);
  return {
    nextFloat: () => uniformFloat64(generator),
    nextInt: (bound) => uniformInt(generator, 0, bound - 1),
  };
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
