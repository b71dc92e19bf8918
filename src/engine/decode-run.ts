import type { EngineState } from "./engine-state.js";
import { endRequest } from "./request-end.js";
import { noteExtremes } from "./scheduler.js";
import { KIND, type StepBatch } from "./step-batch.js";
import { stopReason, takeTransferReports } from "./step-outputs.js";
import type { DecodeLine, StepTimeModel } from "./types.js";
import { flipLoads, loadedIsNext, waitingStaysBlocked } from "./waiting-block.js";

const INSERTED_AT_MOST = 32;

/**
 * A run of steps in which every running request computes one token and nothing else happens: no request comes or
 * is admitted, every block needed is free, and requests end at the last boundary alone. On a straight line of
 * step time against context tokens, step `m` of the run lasts `stepMs + m * deltaMs`, so that its end is known in
 * closed form; blocks change only where a sequence crosses a block boundary.
 *
 * With async scheduling one more step is under way at each boundary: the token that arrives at the first
 * boundary comes from a step scheduled before the run (`lag` 1), and may be a request's first. The last step
 * scheduled in a run that ends requests then leaves those out, as their last token is under way.
 */
export class DecodeRun {
  /** Boundaries of the run; shortened when something comes in from outside. */
  steps = 0;
  /** When its first step is scheduled. */
  startMs = 0;
  private anchorMs = 0;
  private lag = 0;
  private stepMs = 0;
  private deltaMs = 0;
  private busySinceMs = 0;
  /** The boundary at which requests end that the step scheduled before it leaves out; Infinity if none are. */
  private endingStep = Infinity;
  /** By place in the running list: step at which the sequence needs its next block, 0..blockSize-1. */
  private readonly crossing: Int32Array;
  /** By place in the running list: tokens still to come, that of a step under way included. */
  private readonly tokensLeft: Int32Array;
  private readonly order: Int32Array;
  private readonly histogram: Int32Array;
  private readonly line: DecodeLine = { interceptMs: 0, slopeMsPerToken: 0, untilContextTokens: 0 };
  private readonly state: EngineState;
  private readonly stepTime: StepTimeModel;
  /** Context tokens of the first step of the run, the new ones included. */
  private contextTokens = 0;
  /** Largest context of the first step of the run, the new token included. */
  private maxContextTokens = 0;
  /** Requests that had a token at the start of the run. */
  private inStep = 0;
  /** The step under way gives some request its first token. */
  private bringsFirstTokens = false;

  constructor(state: EngineState, stepTime: StepTimeModel) {
    const { maxNumSeqs, blockSize } = state.config;
    this.state = state;
    this.stepTime = stepTime;
    this.tokensLeft = new Int32Array(maxNumSeqs);
    this.crossing = new Int32Array(maxNumSeqs);
    this.order = new Int32Array(maxNumSeqs);
    this.histogram = new Int32Array(blockSize);
  }

  /**
   * Plans the longest run from `nowMs` on, a boundary at which outputs have been handled and nothing is
   * scheduled yet.
   *
   * @param inFlight the one step under way with async scheduling, else null.
   * @returns whether there is a run of at least two steps.
   */
  plan(nowMs: number, inFlight: StepBatch | null): boolean {
    const { state, line } = this;
    const count = state.runningCount;
    this.lag = inFlight === null ? 0 : 1;
    this.steps = 0;
    if (count === 0 || count > state.config.maxNumBatchedTokens) return false;
    if (inFlight !== null && inFlight.length !== count) return false;
    if (state.received.length + state.sent.length > 0) return false;
    // The rest would be looked at in vain.
    if (loadedIsNext(state)) return false;
    const limit = this.surveyRunning(nowMs);
    if (limit < 2) return false;
    const context = this.contextTokens;
    this.stepTime.decodeLine(count, context, line, this.maxContextTokens);
    let onLine = Math.floor((line.untilContextTokens - context) / count) + 1;
    // The step that leaves requests out has a time of its own.
    if (onLine + 1 === this.endingStep) onLine++;
    const alone = Math.min(limit, onLine);
    const steps = this.stepsUntilAdmission(Math.min(alone, this.stepsWithFreeBlocks(alone)));
    if (steps < 2) return false;

    this.steps = steps;
    this.startMs = nowMs;
    this.anchorMs = inFlight === null ? nowMs : inFlight.endMs;
    this.busySinceMs = inFlight === null ? nowMs : inFlight.startMs;
    this.stepMs = line.interceptMs + line.slopeMsPerToken * context;
    this.deltaMs = line.slopeMsPerToken * count;
    state.endedSinceSchedule = false;
    noteExtremes(state);
    if (this.bringsFirstTokens) this.tellFirstTokens();
    return true;
  }

  /** When step boundary `step` (1, 2, ...) of the run is reached. */
  boundaryMs(step: number): number {
    const done = step - this.lag;
    return this.anchorMs + done * this.stepMs + ((done * (done - 1)) / 2) * this.deltaMs;
  }

  /** The first boundary of the run at or after `nowMs`. */
  firstBoundaryFrom(nowMs: number): number {
    let low = 1;
    let high = this.steps;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.boundaryMs(middle) >= nowMs) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Blocks that the steps scheduled up to and including `nowMs` have taken. */
  blocksTakenBy(nowMs: number): number {
    if (nowMs < this.startMs) return 0;
    const { blockSize } = this.state.config;
    const reached = this.firstBoundaryFrom(nowMs);
    const scheduled = this.boundaryMs(reached) <= nowMs ? Math.min(reached + 1, this.steps) : reached;
    let taken = 0;
    for (let i = 0; i < this.state.runningCount; i++) {
      const first = this.crossing[i]!;
      const own = this.isLeftOut(i, scheduled) ? scheduled - 1 : scheduled;
      if (first < own) taken += 1 + Math.floor((own - 1 - first) / blockSize);
    }
    return taken;
  }

  /**
   * Lets the run happen, up to its last boundary. The batch of the step under way becomes that of the step that is
   * under way then, without tokens if there is none.
   */
  apply(inFlight: StepBatch | null): void {
    const { state, steps } = this;
    const endMs = this.boundaryMs(steps);
    this.reportGaps();
    this.moveBlocks();
    noteExtremes(state);
    const { totals } = state;
    totals.steps += steps;
    state.preemptionsSinceToken = 0;
    const alikeMs = this.boundaryMs(this.stepsAlike());
    totals.busyMs += alikeMs - this.busySinceMs;
    if (alikeMs < endMs) totals.busyMs += endMs - alikeMs;
    flipLoads(state, steps);
    if (inFlight !== null) this.refill(inFlight);
    this.handOutTokens(endMs);
    takeTransferReports(state);
    this.steps = 0;
  }

  /** Steps of the run before one at whose end requests end that were left out; all of them where there is none. */
  private stepsAlike(): number {
    return this.steps === this.endingStep ? this.steps - 1 : this.steps;
  }

  /** Whether the request at place `i` has its last token under way when step `step` (1, 2, ...) is scheduled. */
  private isLeftOut(i: number, step: number): boolean {
    return step === this.endingStep && this.tokensLeft[i] === step;
  }

  /**
   * Looks at every running request: where its next block is due, how long it still runs. Returns the steps that
   * all of them can take together, 0 if some request does not decode.
   */
  private surveyRunning(nowMs: number): number {
    const { state, crossing, tokensLeft, lag } = this;
    const { config, running, runningCount, slots } = state;
    const { knownTokens, computedTokens, placeholders, promptTokens, maxTokens, lastTokenMs } = slots;
    const { blockSize, maxModelLen } = config;
    let limit = Infinity;
    let fewestLeft = Infinity;
    let context = 0;
    let maxContext = 0;
    let inStep = 0;
    let first = false;
    // From the back: a request that does not decode yet is among the last that were admitted.
    for (let i = runningCount - 1; i >= 0; i--) {
      const slot = running[i]!;
      const known = knownTokens[slot]!;
      const computed = computedTokens[slot]!;
      const prompt = promptTokens[slot]!;
      if (known + lag - computed !== 1 || placeholders[slot] !== lag) return 0;
      if (known === prompt) {
        // Whoever watches every token is told of it in its step.
        if (lag === 0 || state.recorder !== null) return 0;
        first = true;
      }
      const left = prompt + maxTokens[slot]! - known;
      tokensLeft[i] = left;
      if (left < fewestLeft) fewestLeft = left;
      if (maxModelLen - lag - known < limit) limit = maxModelLen - lag - known;
      context += computed + 1;
      if (computed >= maxContext) maxContext = computed + 1;
      const beyond = computed % blockSize;
      crossing[i] = beyond === 0 ? 0 : blockSize - beyond;
      if (lastTokenMs[slot] === nowMs) inStep++;
    }
    this.contextTokens = context;
    this.maxContextTokens = maxContext;
    this.inStep = inStep;
    this.bringsFirstTokens = first;
    // With async scheduling a request whose last token is under way is left out of the next step, or in older
    // releases runs one step more.
    const leavesOut = lag === 1 && !config.rules.asyncExtraStep;
    // Whoever hears of blocks is told at the end of a run, which should not come later than it must.
    const endsInside = leavesOut && fewestLeft <= limit && state.kv.listener === null;
    this.endingStep = endsInside ? fewestLeft : Infinity;
    return Math.min(limit, leavesOut && !endsInside ? fewestLeft - 1 : fewestLeft);
  }

  /** How many of `steps` steps pass before a waiting request may go in; 0 if one may at once. */
  private stepsUntilAdmission(steps: number): number {
    const { state } = this;
    if (steps < 2) return 0;
    if (state.waitingCount() === 0) return steps;
    const publishesShared = this.publishesShared();
    // Who stays out of a step that leaves others out stays out of all before it.
    if (steps === this.endingStep) {
      if (waitingStaysBlocked(state, publishesShared, true)) return steps;
      steps--;
    }
    return waitingStaysBlocked(state, publishesShared, false) ? steps : 0;
  }

  /** Whether some output of the run may become a prefix hit of another request. */
  private publishesShared(): boolean {
    const { running, runningCount, slots, config } = this.state;
    for (let i = 0; i < runningCount; i++) {
      const slot = running[i]!;
      if (slots.content[slot]!.sharedBlocks * config.blockSize > slots.computedTokens[slot]!) return true;
    }
    return false;
  }

  /** How many of `steps` steps find all their blocks free. */
  private stepsWithFreeBlocks(steps: number): number {
    const { state, crossing, histogram } = this;
    const { free } = state.kv;
    const { blockSize } = state.config;
    const count = state.runningCount;
    if (Math.ceil(steps / blockSize) * count <= free) return steps;
    histogram.fill(0);
    for (let i = 0; i < count; i++) histogram[crossing[i]!]!++;
    let left = free % count;
    let beyond = 0;
    while (histogram[beyond]! <= left) left -= histogram[beyond++]!;
    return Math.floor(free / count) * blockSize + beyond;
  }

  /**
   * Takes and publishes the blocks of the run in the order of its steps, within a step in the order of the
   * running list. A block taken at step `c` follows one that was filled at step `c - 1` (async: is known to be
   * full at step `c`).
   */
  private moveBlocks(): void {
    const { state, crossing, order, steps, lag } = this;
    const { running, runningCount, slots, kv } = state;
    const { blockSize } = state.config;
    const lastFill = steps - lag;
    let due = 0;
    for (let i = 0; i < runningCount; i++) {
      if (crossing[i]! <= lastFill) order[due++] = crossing[i]! * runningCount + i;
    }
    sortStart(order, due);
    for (let cycle = 0; due > 0; cycle++) {
      for (let at = 0; at < due; at++) {
        const place = order[at]! % runningCount;
        const slot = running[place]!;
        const step = Math.floor(order[at]! / runningCount) + cycle * blockSize;
        if (step > lastFill) {
          due = at;
          break;
        }
        const table = slots.table[slot]!;
        kv.publish(table, slots.content[slot]!, table.length * blockSize);
        if (step < steps && !this.isLeftOut(place, step + 1)) kv.takeOne(table);
      }
    }
  }

  /** First tokens are told ahead of their time, at which the engine may not act. */
  private tellFirstTokens(): void {
    const { running, runningCount, slots, listener } = this.state;
    const { knownTokens, promptTokens, lastTokenMs } = slots;
    for (let i = 0; i < runningCount; i++) {
      const slot = running[i]!;
      if (knownTokens[slot] !== promptTokens[slot] || lastTokenMs[slot] === this.anchorMs) continue;
      lastTokenMs[slot] = this.anchorMs;
      listener.onFirstToken(slots.id[slot]!, this.anchorMs);
    }
  }

  private handOutTokens(endMs: number): void {
    const { state, steps } = this;
    const { running, runningCount, slots, config } = state;
    const { knownTokens, computedTokens, lastTokenMs, promptTokens, maxTokens } = slots;
    let ended = false;
    for (let i = 0; i < runningCount; i++) {
      const slot = running[i]!;
      const known = knownTokens[slot]! + steps;
      knownTokens[slot] = known;
      computedTokens[slot]! += steps;
      lastTokenMs[slot] = endMs;
      const reason = stopReason(known - promptTokens[slot]!, maxTokens[slot]!, known, config.maxModelLen);
      if (reason === null) continue;
      ended = true;
      endRequest(state, slot, reason, endMs);
    }
    if (ended) state.compactRunning();
  }

  /** The step that is under way after the run, with async scheduling: the last one scheduled in it. */
  private refill(batch: StepBatch): void {
    const { state, steps, lag } = this;
    // Its requests are those of the step under way at the start, in the same order, and what they compute was timed.
    const isAlike = steps < this.endingStep && batch.tokens === state.runningCount && state.recorder === null;
    if (!isAlike) this.refillRequests(batch);
    batch.scheduledMs = steps === 1 ? this.startMs : this.boundaryMs(steps - 1);
    batch.startMs = this.boundaryMs(steps);
    if (steps < this.endingStep) batch.endMs = this.boundaryMs(steps + lag);
    else batch.endMs = batch.startMs + (batch.tokens > 0 ? this.stepTime.stepMs(batch.load) : 0);
  }

  private refillRequests(batch: StepBatch): void {
    const { state, steps } = this;
    const { running, runningCount, slots } = state;
    batch.clear();
    for (let i = 0; i < runningCount; i++) {
      if (this.isLeftOut(i, steps)) continue;
      const slot = running[i]!;
      const computed = slots.computedTokens[slot]! + steps - 1;
      batch.add(slot, slots.serial[slot]!, KIND.running, computed, 1, slots.table[slot]!.length);
      batch.yields[batch.length - 1] = 1;
    }
    batch.measureLoad();
  }

  /** Tells the listener the gaps before the tokens of the run; usually all sequences share them. */
  private reportGaps(): void {
    const { state, steps, deltaMs } = this;
    const { running, runningCount, slots, listener, recorder } = state;
    const firstMs = this.boundaryMs(1);
    const nextGapMs = this.boundaryMs(2) - firstMs;
    const { inStep } = this;
    for (let i = inStep === runningCount ? runningCount : 0; i < runningCount; i++) {
      const slot = running[i]!;
      const last = slots.lastTokenMs[slot]!;
      if (last === this.startMs || last === firstMs) continue;
      listener.onTokenGaps(firstMs - last, 0, 1, 1, firstMs, slots.id[slot]!);
    }
    const firstGapMs = firstMs - this.startMs;
    const alike = this.stepsAlike();
    const alikeMs = this.boundaryMs(alike);
    if (inStep === runningCount && this.lag === 0) {
      listener.onTokenGaps(firstGapMs, deltaMs, alike, runningCount, alikeMs, -1);
    } else {
      if (inStep > 0) listener.onTokenGaps(firstGapMs, 0, 1, inStep, firstMs, -1);
      if (alike > 1) listener.onTokenGaps(nextGapMs, deltaMs, alike - 1, runningCount, alikeMs, -1);
    }
    if (alike < steps) {
      const endMs = this.boundaryMs(steps);
      listener.onTokenGaps(endMs - alikeMs, 0, 1, runningCount, endMs, -1);
    }
    recorder?.decodeRun(firstMs, nextGapMs, deltaMs, steps);
  }
}

/** Sorts the first `count` numbers; few are sorted fastest where they stand. */
function sortStart(numbers: Int32Array, count: number): void {
  if (count > INSERTED_AT_MOST) {
    numbers.subarray(0, count).sort();
    return;
  }
  for (let i = 1; i < count; i++) {
    const number = numbers[i]!;
    let at = i;
    for (; at > 0 && numbers[at - 1]! > number; at--) numbers[at] = numbers[at - 1]!;
    numbers[at] = number;
  }
}
