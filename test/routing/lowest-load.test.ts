import fc from "fast-check";
import { expect, it } from "vitest";
import { CandidateSet } from "../../src/routing/candidate-set.js";
import { ChangeLog } from "../../src/routing/change-log.js";
import { Fleet } from "../../src/routing/fleet.js";
import { LowestLoad } from "../../src/routing/lowest-load.js";
import type { Ties } from "../../src/routing/lowest.js";
import type { PolicyContext, Worker } from "../../src/routing/types.js";
import { randomStream } from "../../src/values/random.js";
import { workers } from "./builders.js";

const SIZE = 70;
const FLEET = new Fleet(workers(0, SIZE), SIZE).of("decode", null);

/** Loads of a fleet, and the least loaded worker as a tree and a scan find it. */
class Both {
  readonly loads = new Float64Array(SIZE);
  readonly seconds = new Float64Array(SIZE);
  readonly changes = new ChangeLog(SIZE);
  private readonly tree: LowestLoad;
  private readonly scan: LowestLoad;
  private readonly draws = { tree: randomStream(1, "ties"), scan: randomStream(1, "ties") };

  constructor(ties: Ties) {
    const load = {
      changes: () => [this.changes],
      of: ({ index }: Worker) => this.loads[index]!,
      second: ({ index }: Worker) => this.seconds[index]!,
    };
    this.tree = new LowestLoad(SIZE, ties, load);
    this.scan = new LowestLoad(SIZE, ties, load);
  }

  set(worker: number, load: number, second: number): void {
    this.loads[worker] = load;
    this.seconds[worker] = second;
    this.changes.add(worker);
  }

  /** What each found; the scan is given a copy of the candidates, and so does not know that they are all. */
  pick(healthy: readonly Worker[]): { readonly tree: unknown; readonly scan: unknown } {
    const context = { healthy, ledger: {}, candidateSet: new CandidateSet(SIZE) } as unknown as PolicyContext;
    this.tree.look(healthy, context);
    this.scan.look([...healthy], context);
    return { tree: found(this.tree, this.draws.tree), scan: found(this.scan, this.draws.scan) };
  }
}

function found(least: LowestLoad, draws: ReturnType<typeof randomStream>): unknown {
  const { lowest, highest, sum, squares } = least;
  return { lowest, highest, sum, squares, worker: least.take(draws) };
}

it.each(["random", "rotating", "first"] as const)(
  "finds in a tree what a scan finds, ties %s, while loads and health change",
  (ties) => {
    const change = fc.record({
      worker: fc.nat(SIZE - 1),
      load: fc.nat(3),
      second: fc.nat(1),
      kind: fc.constantFrom("load", "load", "load", "load", "down", "up", "all"),
      isAsked: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 120 }), fc.integer({ min: 1, max: SIZE }), (steps, count) => {
        const both = new Both(ties);
        const down = new Set<number>();
        let healthy: readonly Worker[] = FLEET.slice(0, count);
        for (const { worker, load, second, kind, isAsked } of steps) {
          if (kind === "load") both.set(worker, load, second);
          else if (kind === "all") {
            both.loads.fill(load);
            both.changes.addAll();
          } else {
            if (kind === "up") down.delete(worker);
            else if (down.size < count - 1) down.add(worker % count);
            healthy = FLEET.slice(0, count).filter(({ index }) => !down.has(index));
          }
          if (!isAsked || healthy.length === 0) continue;
          const { tree, scan } = both.pick(healthy);
          expect(tree).toEqual(scan);
        }
      }),
      { numRuns: 150 },
    );
  },
);

it("takes each of several equally loaded workers in turn, where ties rotate", () => {
  const both = new Both("rotating");
  for (const { index } of FLEET) both.set(index, index % 10 === 3 ? 0 : 1, 0);
  const taken = Array.from({ length: 8 }, () => (both.pick(FLEET).tree as { worker: number }).worker);
  expect(taken).toEqual([3, 13, 23, 33, 43, 53, 63, 3]);
});
