import type { Worker, WorkerSpec } from "./types.js";

/** The workers of a router, all healthy and without statistics; groups are numbered by first appearance. */
export function fleetOf(specs: readonly WorkerSpec[]): readonly Worker[] {
  const groups = new Map<string | undefined, number>([[undefined, 0]]);
  return specs.map((spec, index) => {
    const group = groups.get(spec.group) ?? groups.size;
    groups.set(spec.group, group);
    return {
      index,
      id: spec.id,
      leg: spec.leg,
      group,
      maxNumBatchedTokens: spec.maxNumBatchedTokens ?? null,
      kvCapacityTokens: spec.kvCapacityTokens ?? null,
      healthy: true,
      stats: null,
    };
  });
}
