import type { KvEvent, Policy, PrefixKey } from "../types.js";

/** How much of a prefix each worker is believed to hold. */
export interface PrefixIndex {
  /** Writes for every worker of the fleet the units from the start of the prefix that it holds. */
  unitsOfEach(prefix: PrefixKey, nowMs: number, out: Float64Array): void;
  /** The workers that hold any by the last `unitsOfEach`: the first `holderCount` of `holders`, in any order. */
  readonly holders: Int32Array;
  readonly holderCount: number;
  /** Units that one worker holds. */
  heldUnits(prefix: PrefixKey, worker: number): number;
  /** The router takes `worker` to hold the prefix. */
  insert(prefix: PrefixKey, worker: number, nowMs: number): void;
  removeWorker(worker: number): void;
  onKvEvent?(event: KvEvent): void;
}

/** The part of a policy that keeps its index up to date. */
export function indexHooks(
  index: PrefixIndex,
): Required<Pick<Policy, "onPrefixHeld" | "onWorkerRemoved" | "onKvEvent" | "heldUnits">> {
  return {
    onPrefixHeld: ({ worker }, { prefix }, nowMs) => index.insert(prefix, worker, nowMs),
    onWorkerRemoved: (worker) => index.removeWorker(worker),
    onKvEvent: (event) => index.onKvEvent?.(event),
    heldUnits: ({ prefix }, worker) => index.heldUnits(prefix, worker),
  };
}
