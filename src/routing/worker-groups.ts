import type { Worker } from "./types.js";

/** Some workers by the number of their group; worked out anew only for another list of workers. */
export class WorkerGroups {
  private workers: readonly Worker[] = [];
  private groups = new Map<number, Worker[]>();

  /** The groups of `workers` in order of first appearance; the list itself must never change. */
  of(workers: readonly Worker[]): ReadonlyMap<number, readonly Worker[]> {
    if (workers === this.workers) return this.groups;
    this.workers = workers;
    this.groups = new Map();
    for (const worker of workers) {
      const group = this.groups.get(worker.group);
      if (group === undefined) this.groups.set(worker.group, [worker]);
      else group.push(worker);
    }
    return this.groups;
  }
}
