import { chunkTokens, fits, putBack, STOP } from "./admission.js";
import type { EngineState } from "./engine-state.js";
import { STATUS } from "./request-slots.js";
import { servedBefore } from "./waiting-queue.js";

/**
 * Whether the waiting half of `schedule()` does nothing now and would go on doing nothing while the running
 * requests only decode, that is while free blocks only become fewer.
 *
 * @param publishesShared whether running requests may publish blocks that others can hit: a waiting request
 *   could then need fewer blocks later.
 * @param leavesOut whether the last step leaves running requests out, so that more of the token budget is free then.
 */
export function waitingStaysBlocked(
  state: EngineState,
  publishesShared: boolean,
  leavesOut: boolean,
): boolean {
  const { config, runningCount } = state;
  if (state.waitingCount() === 0) return true;
  if (runningCount === config.maxNumSeqs) return true;
  if (runningCount === config.maxNumBatchedTokens) return !leavesOut;
  const head = firstNotLoading(state);
  if (head < 0) return true;
  if (state.slots.status[head] === STATUS.loaded || publishesShared) return false;
  return staysTooBig(state, head, leavesOut);
}

/** Whether the waiting loop would now come to a request whose KV has arrived, which it takes in if there is room. */
export function loadedIsNext(state: EngineState): boolean {
  const { config, runningCount, slots } = state;
  if (state.waitingCount() === 0 || runningCount === config.maxNumSeqs) return false;
  if (runningCount === config.maxNumBatchedTokens) return false;
  const head = firstNotLoading(state);
  return head >= 0 && slots.status[head] === STATUS.loaded;
}

/** The request that the waiting loop comes to after passing over the loads under way; -1 if there is none. */
function firstNotLoading(state: EngineState): number {
  const { slots, waiting, skippedWaiting, config } = state;
  const passedOver = skippedWaiting.firstOtherThan(STATUS.loading);
  const fresh = waiting.firstOtherThan(STATUS.loading);
  if (passedOver < 0 || fresh < 0) return Math.max(passedOver, fresh);
  if (config.schedulingPolicy === "fcfs") return passedOver;
  return servedBefore(slots, fresh, passedOver) ? fresh : passedOver;
}

function staysTooBig(state: EngineState, slot: number, leavesOut: boolean): boolean {
  const { slots, kv, config } = state;
  const known = slots.knownTokens[slot]!;
  const hits = kv.lookup(slots.content[slot]!, known);
  // Fewer free blocks and evicted hits only raise what the whole sequence needs.
  const wholeFits = kv.needed(slots.table[slot]!, known, hits) <= kv.free;
  if (slots.loadPending[slot] === 1 || config.rules.reserveFullSequence) {
    if (!wholeFits) return true;
    if (slots.loadPending[slot] === 1) return false;
  }
  const computed = hits.length * config.blockSize;
  const tokens = chunkTokens(state, known - computed, config.maxNumBatchedTokens - state.runningCount);
  if (tokens <= 0) return tokens === STOP && !leavesOut;
  // The need of a first chunk can fall when hits that nobody holds are evicted.
  return hits.unreferenced === 0 && !fits(state, slot, computed + tokens, hits, 0);
}

/**
 * Leaves the loads under way in the order that `schedules` passes of the waiting loop leave them in: before
 * v0.19 each pass turns round those at the front of the queue.
 */
export function flipLoads(state: EngineState, schedules: number): void {
  const { waiting, slots, config, runningCount } = state;
  if (config.rules.stableRemoteQueue || schedules % 2 === 0) return;
  if (runningCount === config.maxNumSeqs || runningCount === config.maxNumBatchedTokens) return;
  while (waiting.length > 0 && slots.status[waiting.peek()] === STATUS.loading) {
    state.passedOver.push(waiting.peek());
    waiting.remove(waiting.peek());
  }
  putBack(state);
}
