import type { EngineState } from "./engine-state.js";
import { endRequest } from "./request-end.js";
import { STATUS } from "./request-slots.js";
import type { StepBatch } from "./step-batch.js";
import type { FinishReason } from "./types.js";

/**
 * vLLM's `Scheduler.update_from_output()`: hands out the tokens of a step that ended at `nowMs`, ends the
 * requests that have all of theirs (in the order of the batch, which fixes the order of the free queue), and
 * then takes the worker's word on transfers.
 *
 * @returns whether the worker reported any transfer.
 */
export function handleOutputs(state: EngineState, batch: StepBatch, nowMs: number): boolean {
  const { totals, recorder } = state;
  if (batch.tokens > 0) {
    totals.steps++;
    totals.busyMs += batch.endMs - batch.startMs;
    handOutTokens(state, batch, nowMs);
  }
  const reported = state.received.length + state.sent.length > 0;
  recorder?.reported(state.received, state.sent);
  if (reported) takeTransferReports(state);
  recorder?.endStep(batch);
  return reported;
}

function handOutTokens(state: EngineState, batch: StepBatch, nowMs: number): void {
  const { slots, config, listener, recorder } = state;
  const { knownTokens, promptTokens, maxTokens, lastTokenMs } = slots;
  let ended = false;
  let inStep = 0;
  for (let i = 0; i < batch.length; i++) {
    const slot = batch.slot[i]!;
    if (!getsToken(state, batch, i)) continue;
    const known = ++knownTokens[slot]!;
    state.preemptionsSinceToken = 0;
    const outputs = known - promptTokens[slot]!;
    if (config.asyncScheduling) settlePlaceholder(state, slot);
    recorder?.token(slot);
    if (outputs === 1) {
      // Of a first token that was told ahead of its time the time stands already.
      if (lastTokenMs[slot] !== nowMs) listener.onFirstToken(slots.id[slot]!, nowMs);
    } else {
      if (lastTokenMs[slot] === batch.startMs) inStep++;
      else listener.onTokenGaps(nowMs - lastTokenMs[slot]!, 0, 1, 1, nowMs, slots.id[slot]!);
    }
    lastTokenMs[slot] = nowMs;
    const reason = stopReason(outputs, maxTokens[slot]!, known, config.maxModelLen);
    if (reason !== null) {
      ended = true;
      endRequest(state, slot, reason, nowMs);
    }
  }
  if (inStep > 0) listener.onTokenGaps(nowMs - batch.startMs, 0, 1, inStep, nowMs, -1);
  if (ended) state.compactRunning();
  recorder?.tokensHandedOut(nowMs);
}

/**
 * Whether the end of a step, whose outputs nobody watches, does nothing but give out tokens: no request ends, no block
 * can be found from then on that could not before, and no transfer is reported yet.
 */
export function onlyTokensToHandOut(state: EngineState, batch: StepBatch): boolean {
  const { slots, config, kv } = state;
  if (state.recorder !== null || state.received.length + state.sent.length > 0) return false;
  for (let i = 0; i < batch.length; i++) {
    const slot = batch.slot[i]!;
    if (!getsToken(state, batch, i)) continue;
    const known = slots.knownTokens[slot]! + 1;
    const outputs = known - slots.promptTokens[slot]!;
    if (stopReason(outputs, slots.maxTokens[slot]!, known, config.maxModelLen) !== null) return false;
    const settled = slots.computedTokens[slot]! - placeholdersLeft(state, slot);
    if (kv.caching && settled >= (slots.table[slot]!.published + 1) * config.blockSize) return false;
  }
  return true;
}

/** Whether request `i` of a step that ends has a token from it: not where it was aborted in mid-step. */
function getsToken({ slots }: EngineState, batch: StepBatch, i: number): boolean {
  const slot = batch.slot[i]!;
  return batch.yields[i] === 1 && slots.serial[slot] === batch.serial[i] && slots.status[slot]! < STATUS.held;
}

/** Tokens that are still under way when the oldest of them has arrived. */
function placeholdersLeft({ slots }: EngineState, slot: number): number {
  return Math.max(slots.placeholders[slot]! - 1, 0);
}

/** Whether a request with that many tokens has ended. */
export function stopReason(
  outputs: number,
  maxTokens: number,
  known: number,
  maxModelLen: number,
): FinishReason | null {
  if (outputs >= maxTokens) return "length";
  return known >= maxModelLen ? "max_model_len" : null;
}

/** Async scheduling: the token has arrived, so the blocks it completes can be found from now on. */
function settlePlaceholder(state: EngineState, slot: number): void {
  const { slots, kv } = state;
  const inFlight = placeholdersLeft(state, slot);
  slots.placeholders[slot] = inFlight;
  if (slots.status[slot] === STATUS.running) {
    kv.publish(slots.table[slot]!, slots.content[slot]!, slots.computedTokens[slot]! - inFlight);
  }
}

/** Acts on the transfers that the worker reports as ended. */
export function takeTransferReports(state: EngineState): void {
  const { slots, received, sent } = state;
  for (let i = 0; i < received.length; i++) {
    const slot = state.find(received.at(i));
    if (slot < 0) continue;
    if (slots.status[slot] === STATUS.loading) slots.status[slot] = STATUS.loaded;
    else if (slots.status[slot] === STATUS.draining) releaseHeld(state, slot);
  }
  for (let i = 0; i < sent.length; i++) {
    const slot = state.find(sent.at(i));
    if (slot >= 0 && slots.status[slot] === STATUS.held) releaseHeld(state, slot);
  }
  received.clear();
  sent.clear();
}

function releaseHeld(state: EngineState, slot: number): void {
  state.heldForTransfer--;
  state.close(slot);
}
