import type { Policy } from "./types.js";

/**
 * Work that a policy has sent to each worker and that is not done: one amount per open request, taken off
 * when its prefill ends or its leg does.
 */
export class PendingWork {
  private readonly amounts: Float64Array;
  private readonly requests: Int32Array;
  private readonly byRequest = new Map<number, { readonly worker: number; readonly amount: number }>();

  constructor(fleetSize: number) {
    this.amounts = new Float64Array(fleetSize);
    this.requests = new Int32Array(fleetSize);
  }

  /** Work pending on a worker. */
  of(worker: number): number {
    return this.amounts[worker]!;
  }

  /** Requests whose work is pending on a worker. */
  count(worker: number): number {
    return this.requests[worker]!;
  }

  add(requestId: number, worker: number, amount: number): void {
    this.byRequest.set(requestId, { worker, amount });
    this.amounts[worker]! += amount;
    this.requests[worker]!++;
  }

  /** Takes a request's work off; one that has none is left alone. */
  release(requestId: number): void {
    const entry = this.byRequest.get(requestId);
    if (entry === undefined) return;
    this.byRequest.delete(requestId);
    this.requests[entry.worker]!--;
    // Exactly 0 when idle, whatever the sum was rounded to.
    this.amounts[entry.worker] =
      this.requests[entry.worker] === 0 ? 0 : Math.max(0, this.amounts[entry.worker]! - entry.amount);
  }
}

/** The part of a policy that takes prefill work off when it is done. */
export function releaseHooks(work: PendingWork): Required<Pick<Policy, "onPrefillEnd" | "onLegEnd">> {
  return {
    onPrefillEnd: (_worker, requestId) => work.release(requestId),
    onLegEnd: (_worker, requestId) => work.release(requestId),
  };
}
