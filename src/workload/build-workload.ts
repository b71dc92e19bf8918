import { InputError } from "../errors.js";
import { randomStream } from "../values/random.js";
import { checkArrivals, type ArrivalOptions, type ArrivalSettings } from "./arrivals.js";
import { exponential, gamma, type Sampler } from "./distributions.js";
import type { RawTrace } from "./raw-trace.js";
import { spreadWithinTicks, tickNote } from "./ticks.js";
import type { Workload } from "./workload.js";

export const LINKED_NOTE =
  "Later turns of a session are sent when the turn before has ended and the user has thought.";

export function speedupNote(speedup: number): string {
  return `The time between arrivals is divided by ${speedup}.`;
}

/**
 * Settles when each request of a trace is sent. Columns that do not depend on that are shared with the trace,
 * so one trace serves many settings at little cost.
 *
 * With `rate`, arrivals keep their order and are spaced anew, the first at 0; where turns are linked only the
 * first turns arrive by themselves, at the rate that makes all requests together `rate`.
 * The random numbers of arrivals do not depend on the rate: a sweep over it stretches the same gaps.
 *
 * @throws InputError for settings that make no sense, alone or together.
 */
export function buildWorkload(trace: RawTrace, options: ArrivalOptions = {}, seed = 1): Workload {
  const settings = checkArrivals(options);
  const count = Math.min(settings.requests ?? Infinity, trace.count);
  const notes = [...trace.notes];
  if (settings.requests !== null && settings.requests > trace.count) {
    notes.push(`The trace has only ${trace.count} requests, ${settings.requests} were asked for.`);
  }
  const isLinked = linksTurns(trace, settings);
  const session = trace.session.subarray(0, count);
  const previous = isLinked ? previousTurns(session) : new Int32Array(count).fill(-1);
  const times = arrivalTimes(trace, settings, previous, seed, notes);
  const thinkMs = isLinked ? thinkTimes(trace, settings, previous, notes) : new Float64Array(count).fill(NaN);
  for (let row = 0; row < count; row++) if (previous[row]! >= 0) times[row] = NaN;
  if (settings.concurrency > 0) {
    const what = isLinked ? "sessions" : "requests";
    notes.push(`Closed loop: ${settings.concurrency} ${what} at once, whatever the times of the trace.`);
  }
  return {
    count,
    arrivalMs: times,
    inputTokens: trace.inputTokens.subarray(0, count),
    outputTokens: trace.outputTokens.subarray(0, count),
    blocks: trace.blocks,
    runOffset: trace.runOffset.subarray(0, count + 1),
    session,
    priority: trace.priority.subarray(0, count),
    cancelAfterMs: trace.cancelAfterMs.subarray(0, count),
    previous,
    thinkMs,
    concurrency: settings.concurrency,
    hasBlocks: trace.hasBlocks,
    notes,
  };
}

function linksTurns(
  { session, thinkMs, source }: RawTrace,
  { sessions, thinkMs: think }: ArrivalSettings,
): boolean {
  if (sessions === "independent") return false;
  const hasSessions = session.some((number) => number >= 0);
  if (!hasSessions && (sessions === "linked" || think !== null)) {
    throw new InputError(`workload: linked sessions: ${source} has no sessions, expected a trace that has`);
  }
  return sessions === "linked" || think !== null || thinkMs.some((ms) => !Number.isNaN(ms));
}

/** The row of the turn before each row in its session, or -1. Every row is before at most one other. */
function previousTurns(session: Int32Array): Int32Array {
  const sessions = session.reduce((most, number) => Math.max(most, number + 1), 0);
  const last = new Int32Array(sessions).fill(-1);
  return session.map((number, row) => {
    if (number < 0) return -1;
    const previous = last[number]!;
    last[number] = row;
    return previous;
  });
}

/** Times for all rows, of later turns as well where they are linked (the caller takes those out). */
function arrivalTimes(
  trace: RawTrace,
  settings: ArrivalSettings,
  previous: Int32Array,
  seed: number,
  notes: string[],
): Float64Array {
  const count = previous.length;
  const traceMs = trace.arrivalMs.slice(0, count);
  if (settings.concurrency > 0) return traceMs;
  if (settings.rate !== null) return retimed(settings, settings.rate, previous, seed, notes);
  const spreadsTicks = settings.jitter && trace.tickMs > 0;
  const times = spreadsTicks
    ? spreadWithinTicks(traceMs, trace.tickMs, randomStream(seed, "arrival-jitter"))
    : traceMs;
  if (trace.tickMs > 0) notes.push(tickNote(trace.tickMs, spreadsTicks));
  if (settings.speedup !== 1) {
    for (let row = 0; row < count; row++) times[row]! /= settings.speedup;
    notes.push(speedupNote(settings.speedup));
  }
  return times;
}

function retimed(
  settings: ArrivalSettings,
  rate: number,
  previous: Int32Array,
  seed: number,
  notes: string[],
): Float64Array {
  const count = previous.length;
  const firstTurns = previous.reduce((sum, row) => sum + (row < 0 ? 1 : 0), 0);
  const nextGap = gapSampler(settings, seed);
  const meanGapMs = (1000 / rate) * (count / firstTurns);
  const times = new Float64Array(count);
  let atMs = 0;
  for (let row = 0; row < count; row++) {
    times[row] = atMs;
    const next = row + 1 < count ? previous[row + 1]! : -1;
    if (next < 0) atMs += meanGapMs * nextGap();
  }
  const linked = firstTurns < count ? ", first turns of sessions in proportion" : "";
  notes.push(retimedNote(settings, rate, linked));
  return times;
}

/** What a reader should know of arrivals at another rate. */
export function retimedNote({ arrival, cv }: ArrivalSettings, rate: number, linked = ""): string {
  const law = arrival === "gamma" ? `gamma (cv ${cv})` : arrival;
  return `Arrivals are re-timed: ${law}, ${rate} requests/s on average${linked}.`;
}

/** Gaps with a mean of 1. */
export function gapSampler({ arrival, cv }: ArrivalSettings, seed: number): Sampler {
  const random = randomStream(seed, "arrivals");
  if (arrival === "constant") return () => 1;
  return arrival === "gamma" ? gamma(random, 1, cv) : exponential(random, 1);
}

function thinkTimes(
  trace: RawTrace,
  settings: ArrivalSettings,
  previous: Int32Array,
  notes: string[],
): Float64Array {
  let guessed = 0;
  const think = new Float64Array(previous.length).fill(NaN);
  for (let row = 0; row < previous.length; row++) {
    const turnBefore = previous[row]!;
    if (turnBefore < 0) continue;
    const known = settings.thinkMs ?? trace.thinkMs[row]!;
    if (Number.isNaN(known)) guessed++;
    think[row] = Number.isNaN(known) ? trace.arrivalMs[row]! - trace.arrivalMs[turnBefore]! : known;
  }
  notes.push(LINKED_NOTE);
  if (guessed > 0) {
    notes.push(`${guessed} think times are unknown; the time between the turns' arrivals stands for them.`);
  }
  return think;
}
