import { WorkError } from "../errors.js";
import { admitWaiting } from "./admission.js";
import type { EngineState } from "./engine-state.js";
import { STATUS } from "./request-slots.js";
import { KIND, type StepBatch } from "./step-batch.js";

/**
 * vLLM's `Scheduler.schedule()`: fills `batch` with the requests of the next step and their tokens, and takes
 * the KV blocks for them. There is no prefill or decode phase: every request tries to bring its computed tokens
 * up to its known tokens, running ones first and in list order.
 */
export function schedule(state: EngineState, batch: StepBatch, nowMs: number): void {
  state.schedules++;
  batch.clear();
  batch.scheduledMs = nowMs;
  state.recorder?.beginSchedule();
  const budget = scheduleRunning(state, batch, nowMs);
  if (!batch.preempted) admitWaiting(state, batch, budget, nowMs);
  advanceComputed(state, batch);
  batch.measureLoad();
  state.endedSinceSchedule = false;
  noteExtremes(state);
  state.recorder?.endSchedule(batch);
}

/** What `schedule` does where no request runs or waits: the empty step after the last token of an engine. */
export function scheduleNothing(state: EngineState, batch: StepBatch, nowMs: number): void {
  state.schedules++;
  batch.clear();
  batch.scheduledMs = nowMs;
  state.recorder?.beginSchedule();
  state.endedSinceSchedule = false;
  state.recorder?.endSchedule(batch);
}

/** Returns the token budget left. After a preemption nothing is admitted, even if there is room. */
function scheduleRunning(state: EngineState, batch: StepBatch, nowMs: number): number {
  const { config, slots, running, kv } = state;
  const { blockSize, maxModelLen, longPrefillTokenThreshold, rules } = config;
  const { knownTokens, computedTokens, serial, scheduledAt } = slots;
  let budget = config.maxNumBatchedTokens;
  let index = 0;
  while (index < state.runningCount && budget > 0) {
    const slot = running[index]!;
    const known = knownTokens[slot]!;
    const computed = computedTokens[slot]!;
    let want = tokensWanted(state, slot);
    if (longPrefillTokenThreshold > 0 && want > longPrefillTokenThreshold) want = longPrefillTokenThreshold;
    want = Math.min(want, budget, maxModelLen - 1 - computed);
    if (want <= 0) {
      index++;
      continue;
    }

    const table = slots.table[slot]!;
    const blocksBefore = table.length;
    const target = computed + want;
    const hittable = Math.min(target, known);
    if (target > blocksBefore * blockSize) {
      const missing = Math.ceil(target / blockSize) - blocksBefore;
      while (missing > kv.free && slots.status[slot] === STATUS.running) {
        batch.preempted = true;
        const victimIndex = findVictim(state);
        const victim = running[victimIndex]!;
        if (victimIndex < index) {
          const withdrawn = scheduledAt[victim] === state.schedules;
          if (withdrawn) budget += batch.withdraw(victim);
          if (withdrawn || !rules.unscheduledVictimSkipsNext) index--;
        }
        state.removeFromRunning(victimIndex);
        preempt(state, victim, nowMs);
      }
      if (slots.status[slot] !== STATUS.running) break;
      if (missing === 1) kv.takeOne(table);
      else kv.take(table, slots.content[slot]!, target, hittable, kv.noHits());
    }
    if (hittable >= (table.published + 1) * blockSize) kv.publish(table, slots.content[slot]!, hittable);
    scheduledAt[slot] = state.schedules;
    batch.add(slot, serial[slot]!, KIND.running, computed, want, blocksBefore);
    budget -= want;
    index++;
  }
  return budget;
}

/** Tokens that a running request lacks, whatever the limits of a step: none where its last one is under way. */
function tokensWanted(state: EngineState, slot: number): number {
  const { knownTokens, computedTokens, placeholders, promptTokens, maxTokens } = state.slots;
  const computed = computedTokens[slot]!;
  const inFlight = placeholders[slot]!;
  const lastTokenUnderWay =
    inFlight > 0 &&
    computed + 2 - inFlight >= promptTokens[slot]! + maxTokens[slot]! &&
    !state.config.rules.asyncExtraStep;
  return lastTokenUnderWay ? 0 : knownTokens[slot]! + inFlight - computed;
}

/** Whether a schedule would be empty, and stay so until a token or something from outside comes. */
export function nothingToSchedule(state: EngineState): boolean {
  if (state.waitingCount() > 0) return false;
  for (let i = 0; i < state.runningCount; i++) {
    if (tokensWanted(state, state.running[i]!) > 0) return false;
  }
  return true;
}

/**
 * Index of the request to preempt: under fcfs the last of the running list, under priority the one with the
 * largest (priority, arrival), the first of equals.
 */
function findVictim(state: EngineState): number {
  const { running, runningCount, slots } = state;
  if (state.config.schedulingPolicy === "fcfs") return runningCount - 1;
  const { priority, arrivalMs } = slots;
  let worst = 0;
  for (let i = 1; i < runningCount; i++) {
    const slot = running[i]!;
    const held = running[worst]!;
    const later = priority[slot] === priority[held] && arrivalMs[slot]! > arrivalMs[held]!;
    if (priority[slot]! > priority[held]! || later) worst = i;
  }
  return worst;
}

/** Recompute is vLLM's only kind of preemption: blocks go, outputs stay, and it waits at the front. */
function preempt(state: EngineState, slot: number, nowMs: number): void {
  const { slots } = state;
  state.kv.release(slots.table[slot]!);
  slots.status[slot] = STATUS.preempted;
  slots.computedTokens[slot] = 0;
  slots.preemptions[slot]!++;
  state.waiting.prepend(slot);
  state.totals.preemptions++;
  noteThrashing(state);
  state.recorder?.preempted(slot);
  state.listener.onPreempted(slots.id[slot]!, nowMs);
}

/** More preemptions in a row without a single token mean that the engine will never get out of it. */
const PREEMPTIONS_WITHOUT_TOKEN = 20_000;

/**
 * Some releases can preempt for ever: a prompt admitted by its first chunk cannot finish beside the blocks of a
 * loaded request that waits behind it (v0.11).
 */
function noteThrashing(state: EngineState): void {
  if (++state.preemptionsSinceToken < PREEMPTIONS_WITHOUT_TOKEN) return;
  throw new WorkError(
    `the engine preempted ${PREEMPTIONS_WITHOUT_TOKEN} times without producing a token, and so would vLLM: ` +
      `${state.waitingCount()} requests wait for ${state.kv.usable} KV blocks. Give it more KV or a vllm_version ` +
      "that reserves the full sequence",
  );
}

/** vLLM advances the computed tokens when a step is scheduled, not when its result arrives. */
function advanceComputed(state: EngineState, batch: StepBatch): void {
  const { knownTokens, computedTokens, placeholders } = state.slots;
  const { asyncScheduling } = state.config;
  for (let i = 0; i < batch.length; i++) {
    const slot = batch.slot[i]!;
    const computed = computedTokens[slot]! + batch.scheduledTokens[i]!;
    computedTokens[slot] = computed;
    if (computed === knownTokens[slot]! + placeholders[slot]!) {
      batch.yields[i] = 1;
      if (asyncScheduling) placeholders[slot]!++;
    }
  }
}

/** Keeps the highest numbers of running and waiting requests and the highest KV usage. */
export function noteExtremes(state: EngineState): void {
  const { totals, kv } = state;
  if (state.runningCount > totals.maxRunning) totals.maxRunning = state.runningCount;
  const waiting = state.waitingCount();
  if (waiting > totals.maxWaiting) totals.maxWaiting = waiting;
  const usage = kv.usage();
  if (usage > totals.kvPeak) totals.kvPeak = usage;
}
