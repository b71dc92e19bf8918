import { InputError } from "../errors.js";
import type { Leg, Worker, WorkerSpec } from "./types.js";

/** The workers of a router by index; those that have left keep their place until it is needed. */
export class Fleet {
  /** Most workers at a time: the length of every array indexed by worker. */
  readonly capacity: number;
  private readonly workers: Worker[] = [];
  private readonly left = new Set<number>();
  private byModel = false;
  /** Numbers of the groups, in order of first appearance. */
  private readonly groups = new Map<string | undefined, number>([[undefined, 0]]);

  constructor(specs: readonly WorkerSpec[], capacity: number) {
    this.capacity = capacity;
    for (const spec of specs) this.add(spec, () => false);
  }

  worker(index: number): Worker {
    return this.workers[index]!;
  }

  /** The workers that have not left, in fleet order. */
  get present(): readonly Worker[] {
    return this.workers.filter(({ index }) => !this.left.has(index));
  }

  /** Whether workers name the model that they serve: all of them do, or none. */
  get isByModel(): boolean {
    return this.byModel;
  }

  /** The workers of a leg that serve a model, in fleet order; null = of a fleet that names none. */
  of(leg: Leg, model: string | null): readonly Worker[] {
    return this.present.filter((worker) => worker.leg === leg && worker.model === model);
  }

  /**
   * Takes a worker in, healthy and without statistics.
   *
   * @param isFree Whether nothing refers any more to the place of a worker that has left.
   * @throws InputError when the fleet is full, or when it names a model and others do not, or the reverse.
   */
  add(spec: WorkerSpec, isFree: (index: number) => boolean): Worker {
    const index =
      this.workers.length < this.capacity ? this.workers.length : ([...this.left].find(isFree) ?? -1);
    if (index < 0) {
      throw new InputError(`worker ${spec.id} cannot be added, expected at most ${this.capacity} workers`);
    }
    const { model = null } = spec;
    this.checkModel(spec.id, model);
    this.byModel = model !== null;
    const group = this.groups.get(spec.group) ?? this.groups.size;
    this.groups.set(spec.group, group);
    this.left.delete(index);
    this.workers[index] = {
      index,
      id: spec.id,
      leg: spec.leg,
      model,
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

  private checkModel(id: string, model: string | null): void {
    const other = this.present.find((worker) => (worker.model === null) !== (model === null));
    if (other === undefined) return;
    const got = model === null ? "no model" : `model ${model}`;
    const expected = other.model === null ? "none, as" : "one, as";
    throw new InputError(`worker ${id} names ${got}, expected ${expected} ${other.id} does`);
  }
}
