import { RadixTree } from "../../src/routing/prefix-index/radix-tree.js";
import { rates, type BenchCase, type BenchFigures } from "./measure.js";

const KEYS = 20_000;
const SHARED = 24;
const OWN = 8;
const WORKERS = 64;
const RUNS = 3;

/** Keys of 32 symbols: the first 24 are one of 2,000 histories, the rest is each key's own. */
function keys(): Int32Array[] {
  return Array.from({ length: KEYS }, (_, i) => {
    const history = (i * 7919) % 2000;
    return Int32Array.from({ length: SHARED + OWN }, (__, at) =>
      at < SHARED ? history * SHARED + at : 1_000_000 + i * OWN + (at - SHARED),
    );
  });
}

/** Prefixes a second into and out of a tree over 64 workers. */
export const radixTree: BenchCase = {
  async run(): Promise<BenchFigures> {
    const all = keys();
    const fill = (limit: number): RadixTree => {
      const tree = new RadixTree(WORKERS, limit);
      all.forEach((key, i) => tree.insert(key, key.length, i % WORKERS));
      return tree;
    };
    const full = fill(Infinity);
    const held = new Int32Array(WORKERS);
    const who = new Int32Array(WORKERS);
    const match = (): void => all.forEach((key) => full.match(key, key.length));
    const matchEach = (): void => all.forEach((key) => full.matchEach(key, key.length, held, who));
    return {
      ...(await rates("insert", KEYS, RUNS, () => fill(Infinity))),
      ...(await rates("match", KEYS, RUNS, match)),
      ...(await rates("match_each", KEYS, RUNS, matchEach)),
      // A tenth of what would be held: nine of ten nodes go again.
      ...(await rates("insert_and_evict", KEYS, RUNS, () => fill(Math.floor((KEYS * OWN) / WORKERS / 10)))),
    };
  },
};
