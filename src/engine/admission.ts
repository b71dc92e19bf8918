import type { EngineState } from "./engine-state.js";
import type { PrefixHits } from "./kv-blocks.js";
import { STATUS } from "./request-slots.js";
import { KIND, type StepBatch } from "./step-batch.js";
import { servedBefore, type WaitingQueue } from "./waiting-queue.js";

/**
 * The waiting half of vLLM's `schedule()`: admits requests in queue order while there is token budget and room
 * in the batch, and starts KV loads. The first request that does not fit ends it (strict head-of-line
 * blocking); only loads under way, and before v0.19 unchunked prompts over the budget, are passed over.
 */
export function admitWaiting(state: EngineState, batch: StepBatch, tokenBudget: number, nowMs: number): void {
  const { config, slots, passedOver } = state;
  let budget = tokenBudget;
  while (budget > 0 && state.runningCount < config.maxNumSeqs) {
    const queue = nextQueue(state);
    if (queue === null) break;
    const slot = queue.peek();
    const outcome = tryAdmit(state, batch, slot, budget, nowMs);
    if (outcome === STOP) break;
    queue.remove(slot);
    if (outcome === PASS_OVER) {
      passedOver.push(slot);
    } else {
      slots.status[slot] = STATUS.running;
      state.running[state.runningCount++] = slot;
      budget -= outcome;
    }
  }
  putBack(state);
}

export const STOP = -1;
const PASS_OVER = 0;

/** Tokens given to the request in this step, or one of the two outcomes above. */
function tryAdmit(state: EngineState, batch: StepBatch, slot: number, budget: number, nowMs: number): number {
  const { slots, kv } = state;
  if (slots.status[slot] === STATUS.loading) return PASS_OVER;
  if (slots.status[slot] === STATUS.loaded) {
    // The last prompt token is computed again for its logits, however it came here.
    slots.computedTokens[slot] = slots.knownTokens[slot]! - 1;
    slots.status[slot] = STATUS.waiting;
  }
  const lookedUp = slots.computedTokens[slot] === 0;
  const hits = lookedUp ? lookUp(state, slot) : kv.noHits();
  if (slots.loadPending[slot] === 1) return startLoad(state, slot, hits, nowMs);

  const computed = slots.computedTokens[slot]! + hits.length * state.config.blockSize;
  const tokens = chunkTokens(state, slots.knownTokens[slot]! - computed, budget);
  if (tokens <= 0) return tokens;
  if (!fits(state, slot, computed + tokens, hits, 0)) return STOP;
  if (lookedUp) noteAdmission(state, slot, hits);
  admit(state, batch, slot, computed, tokens, hits, nowMs);
  return tokens;
}

function lookUp(state: EngineState, slot: number): PrefixHits {
  const known = state.slots.knownTokens[slot]!;
  const hits = state.kv.lookup(state.slots.content[slot]!, known);
  if (!state.config.rules.countPrefixAtAdmission) state.recorder?.lookedUp(slot, hits.length);
  return hits;
}

/** Tokens of the first chunk, or the outcome if it may not be cut to the budget. */
export function chunkTokens(state: EngineState, wanted: number, budget: number): number {
  const { longPrefillTokenThreshold: threshold, enableChunkedPrefill, rules } = state.config;
  const tokens = threshold > 0 ? Math.min(wanted, threshold) : wanted;
  if (!enableChunkedPrefill && tokens > budget) return rules.oversizedPromptStopsAdmission ? STOP : PASS_OVER;
  return Math.min(tokens, budget);
}

/** Whether `tokens` tokens (and, by rule, all known ones) find free blocks beside `reserved` others. */
export function fits(
  state: EngineState,
  slot: number,
  tokens: number,
  hits: PrefixHits,
  reserved: number,
): boolean {
  const { kv, slots, config } = state;
  const table = slots.table[slot]!;
  if (config.rules.reserveFullSequence && kv.needed(table, slots.knownTokens[slot]!, hits) > kv.free)
    return false;
  return kv.needed(table, tokens, hits) <= kv.free - reserved;
}

function admit(
  state: EngineState,
  batch: StepBatch,
  slot: number,
  computed: number,
  tokens: number,
  hits: PrefixHits,
  nowMs: number,
): void {
  const { slots, kv } = state;
  const table = slots.table[slot]!;
  kv.take(table, slots.content[slot]!, computed + tokens, computed + tokens, hits);
  slots.computedTokens[slot] = computed;
  slots.scheduledAt[slot] = state.schedules;
  const kind = slots.status[slot] === STATUS.preempted ? KIND.resumed : KIND.first;
  batch.add(slot, slots.serial[slot]!, kind, computed, tokens, 0);
  if (slots.wasScheduled[slot] === 0) {
    slots.wasScheduled[slot] = 1;
    state.listener.onScheduled(slots.id[slot]!, nowMs, slots.cachedTokens[slot]!);
  }
}

/**
 * A remote prefill gets blocks for its whole prompt, unpublished, and waits for its KV; it takes no token
 * budget and no place in the batch.
 */
function startLoad(state: EngineState, slot: number, hits: PrefixHits, nowMs: number): number {
  const { slots, kv, config } = state;
  const prompt = slots.knownTokens[slot]!;
  const reserved = config.rules.reserveForLoads ? blocksStillNeeded(state) : 0;
  if (!fits(state, slot, prompt, hits, reserved)) return STOP;
  noteAdmission(state, slot, hits);
  const cached = hits.length * config.blockSize;
  kv.take(slots.table[slot]!, slots.content[slot]!, prompt, 0, hits);
  slots.loadPending[slot] = 0;
  slots.status[slot] = STATUS.loading;
  state.listener.onKvReadStart(slots.id[slot]!, nowMs, prompt - cached);
  return PASS_OVER;
}

/**
 * Starts the KV loads that `admitWaiting` would start now before it comes to a request that computes something, where
 * the running requests take nothing from them. The step itself is still to be scheduled.
 */
export function startLoads(state: EngineState, nowMs: number): void {
  if (!canStartLoads(state)) return;
  const { waiting, skippedWaiting, slots } = state;
  while (waiting.length > 0) {
    const slot = waiting.peek();
    if (slots.loadPending[slot] === 0) return;
    if (startLoad(state, slot, lookUp(state, slot), nowMs) === STOP) return;
    waiting.remove(slot);
    skippedWaiting.append(slot);
  }
}

/** First come, first served, and the loads in a queue of their own: else their order has more to it. */
function canStartLoads(state: EngineState): boolean {
  const { waiting, skippedWaiting, slots, config, runningCount, recorder } = state;
  if (waiting.length === 0 || slots.loadPending[waiting.peek()] === 0 || recorder !== null) return false;
  if (config.schedulingPolicy !== "fcfs" || !config.rules.stableRemoteQueue) return false;
  if (runningCount === config.maxNumSeqs || skippedWaiting.firstOtherThan(STATUS.loading) >= 0) return false;
  return runningLeaveBlocks(state);
}

/**
 * Whether the running requests can compute what they lack in the next step, with tokens to spare, and neither take a
 * block nor fill one that others could then find.
 */
function runningLeaveBlocks(state: EngineState): boolean {
  const { running, runningCount, slots, config, kv } = state;
  const { knownTokens, placeholders, computedTokens, table } = slots;
  let wanted = 0;
  for (let i = 0; i < runningCount; i++) {
    const slot = running[i]!;
    const { length, published } = table[slot]!;
    const known = knownTokens[slot]!;
    const target = known + placeholders[slot]!;
    if (target > length * config.blockSize) return false;
    if (kv.caching && known >= (published + 1) * config.blockSize) return false;
    wanted += target - computedTokens[slot]!;
  }
  return wanted < config.maxNumBatchedTokens;
}

/** Blocks that running prefills still lack for their known tokens; loads hold all of theirs. */
function blocksStillNeeded(state: EngineState): number {
  const { slots, running, runningCount, config } = state;
  let blocks = 0;
  for (let i = 0; i < runningCount; i++) {
    const slot = running[i]!;
    const known = Math.ceil(slots.knownTokens[slot]! / config.blockSize);
    blocks += Math.max(known - slots.table[slot]!.length, 0);
  }
  return blocks;
}

function noteAdmission(state: EngineState, slot: number, hits: PrefixHits): void {
  const { slots, totals, config } = state;
  if (config.rules.countPrefixAtAdmission) state.recorder?.lookedUp(slot, hits.length);
  if (slots.cachedTokens[slot]! >= 0) return;
  const cached = hits.length * config.blockSize;
  slots.cachedTokens[slot] = cached;
  totals.promptTokens += slots.promptTokens[slot]!;
  totals.hitTokens += cached;
}

function nextQueue(state: EngineState): WaitingQueue | null {
  const { waiting, skippedWaiting, config, slots } = state;
  if (skippedWaiting.length === 0) return waiting.length === 0 ? null : waiting;
  if (waiting.length === 0 || config.schedulingPolicy === "fcfs") return skippedWaiting;
  return servedBefore(slots, waiting.peek(), skippedWaiting.peek()) ? waiting : skippedWaiting;
}

/**
 * Passed-over requests go to the front. From v0.19 they have a queue of their own and keep their order; before,
 * each schedule put them back one by one, so that their order flipped every time.
 */
export function putBack(state: EngineState): void {
  const { passedOver } = state;
  if (passedOver.length === 0) return;
  if (state.config.rules.stableRemoteQueue) {
    for (let i = passedOver.length - 1; i >= 0; i--) state.skippedWaiting.prepend(passedOver.at(i));
  } else {
    for (let i = 0; i < passedOver.length; i++) state.waiting.prepend(passedOver.at(i));
  }
  passedOver.clear();
}
