import type { EngineState } from "./engine-state.js";
import { ROLE, STATUS } from "./request-slots.js";
import type { FinishReason } from "./types.js";

/**
 * Ends a request that has all its tokens. A prefill leg keeps its blocks until its reader has them; all other
 * blocks go at once. The caller takes ended requests off the running list.
 */
export function endRequest(state: EngineState, slot: number, reason: FinishReason, nowMs: number): void {
  const { slots, listener, recorder } = state;
  if (slots.status[slot] === STATUS.preempted) state.waiting.remove(slot);
  state.endedSinceSchedule = true;
  recorder?.finished(slot);
  listener.onFinished(slots.id[slot]!, nowMs, reason, slots.knownTokens[slot]! - slots.promptTokens[slot]!);
  if (slots.role[slot] === ROLE.remote_decode) holdForTransfer(state, slot, STATUS.held);
  else state.close(slot);
}

/** Takes in what has come since the last boundary: first arrivals, then aborts, each in order. */
export function takeArrivalsAndAborts(state: EngineState, nowMs: number): void {
  const { arrivals, aborts } = state;
  if (arrivals.length > 0) {
    for (let i = 0; i < arrivals.length; i++) state.waiting.append(arrivals.at(i));
    arrivals.clear();
  }
  if (aborts.length === 0) return;
  for (let i = 0; i < aborts.length; i++) {
    const slot = state.find(aborts.at(i));
    if (slot >= 0) abortRequest(state, slot, nowMs);
  }
  aborts.clear();
}

function abortRequest(state: EngineState, slot: number, nowMs: number): void {
  const { slots, listener } = state;
  const { rules } = state.config;
  const status = slots.status[slot]!;
  if (status === STATUS.held || status === STATUS.draining) {
    if (rules.abortReleasesHeldBlocks) abandonHeld(state, slot);
    return;
  }
  if (status === STATUS.running) state.removeFromRunning(state.running.indexOf(slot));
  else removeFromQueue(state, slot);
  state.endedSinceSchedule = true;
  if (slots.loadPending[slot] === 1) {
    // An empty read tells the prefill engine that nobody will fetch its blocks.
    listener.onKvReadStart(slots.id[slot]!, nowMs, 0);
  }
  listener.onFinished(
    slots.id[slot]!,
    nowMs,
    "aborted",
    slots.knownTokens[slot]! - slots.promptTokens[slot]!,
  );
  if (status === STATUS.loading && rules.deferAbortDuringLoad) holdForTransfer(state, slot, STATUS.draining);
  else state.close(slot);
}

function abandonHeld(state: EngineState, slot: number): void {
  state.heldForTransfer--;
  state.endedSinceSchedule = true;
  state.close(slot);
}

function holdForTransfer(state: EngineState, slot: number, status: number): void {
  state.slots.status[slot] = status;
  state.heldForTransfer++;
}

/** Loads wait in the queue of passed-over requests, all others in `waiting`. */
function removeFromQueue(state: EngineState, slot: number): void {
  const { waiting, skippedWaiting, slots, config } = state;
  const status = slots.status[slot];
  const loads = status === STATUS.loading || status === STATUS.loaded;
  if (loads && config.rules.stableRemoteQueue) skippedWaiting.remove(slot);
  else waiting.remove(slot);
}
