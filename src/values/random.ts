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

/** FNV-1a over the name, mixed with the seed by the finaliser of MurmurHash3. */
function mixSeed(seed: number, name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  hash ^= Math.imul(seed | 0, 0x9e3779b1) ^ Math.floor(seed / 4294967296);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
