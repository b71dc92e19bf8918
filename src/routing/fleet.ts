import { InputError } from "../errors.js";
import type { Leg, Worker, WorkerSpec } from "./types.js";

/** The workers of a router by index; those that have left keep their place until it is needed. */
export class Fleet {
  /** Most workers at a time: the length of every array indexed by worker. */
  readonly capacity: number;
  private readonly workers: Worker[] = [];
  private readonly left = new Set<number>();
  /** Numbers of the groups, in order of first appearance. */
  private readonly groups = new Map<string | undefined, number>([[undefined, 0]]);

  constructor(specs: readonly WorkerSpec[], capacity: number) {
    this.capacity = capacity;
    for (const spec of specs) this.add(spec, () => false);
  }

  worker(index: number): Worker {
    return this.workers[index]!;
  }

  /** The workers of a leg in fleet order. */
  ofLeg(leg: Leg): readonly Worker[] {
    return this.workers.filter((worker) => worker.leg === leg && !this.left.has(worker.index));
  }

  /**
   * Takes a worker in, healthy and without statistics.
   *
   * @param isFree Whether nothing refers any more to the place of a worker that has left.
   * @throws InputError when the fleet is full.
   */
  add(spec: WorkerSpec, isFree: (index: number) => boolean): Worker {
    const index =
      this.workers.length < this.capacity ? this.workers.length : ([...this.left].find(isFree) ?? -1);
    if (index < 0) {
      throw new InputError(`worker ${spec.id} cannot be added, expected at most ${this.capacity} workers`);
    }
    const group = this.groups.get(spec.group) ?? this.groups.size;
    this.groups.set(spec.group, group);
    this.left.delete(index);
    this.workers[index] = {
      index,
      id: spec.id,
      leg: spec.leg,
      group,
      maxNumBatchedTokens: spec.maxNumBatchedTokens ?? null,
      kvCapacityTokens: spec.kvCapacityTokens ?? null,
      healthy: true,
      stats: null,
    };
    return this.workers[index];
  }

  /** The worker is no candidate any more; what is open on it goes on. */
  remove(index: number): Worker {
    this.left.add(index);
    return this.workers[index]!;
  }
}
