import { quantileSorted } from "simple-statistics";
import type { Random } from "../values/random.js";

/** At least this share of requests must arrive at the very instant of the one before. */
const SHARED_INSTANTS = 0.2;
/** Stamps may be off by this share of a tick (Mooncake's 3 s ticks wander by 3 ms). */
const TOLERANCE = 0.05;
/** The gap below which this share of all gaps lies stands for one tick: a stray stamp does not count. */
const SHORTEST_GAPS = 0.1;
/** Share of gaps that must be whole numbers of ticks. */
const ON_TICK = 0.9;

/**
 * The resolution of time stamps where it is coarser than the traffic, ms, or 0 where it is not: many requests
 * share an instant, and the gaps between instants are multiples of the shortest usual gap.
 * Replaying such stamps as they are would measure the bursts of the clock.
 */
export function detectTick(arrivalMs: Float64Array): number {
  const instants = distinctInstants(arrivalMs);
  if (instants.length < 2 || 1 - instants.length / arrivalMs.length < SHARED_INSTANTS) return 0;
  const gaps = Array.from(instants.subarray(1), (atMs, i) => atMs - instants[i]!).sort((a, b) => a - b);
  const shortest = gaps[Math.floor(SHORTEST_GAPS * gaps.length)]!;
  const single = gaps.filter((gap) => Math.abs(gap - shortest) <= 2 * TOLERANCE * shortest);
  const tickMs = quantileSorted(single, 0.5);
  const onTick = gaps.filter((gap) => {
    const ticks = Math.round(gap / tickMs);
    return ticks >= 1 && Math.abs(gap - ticks * tickMs) <= TOLERANCE * tickMs;
  });
  return onTick.length >= ON_TICK * gaps.length ? tickMs : 0;
}

/**
 * Spreads requests that share an instant uniformly over the tick that begins there; their order stays.
 *
 * @param arrivalMs non-decreasing times.
 * @param nextMs time of the request after them; Infinity = there is none.
 */
export function spreadWithinTicks(
  arrivalMs: Float64Array,
  tickMs: number,
  random: Random,
  nextMs = Infinity,
): Float64Array {
  const spread = new Float64Array(arrivalMs.length);
  for (let first = 0; first < arrivalMs.length;) {
    const atMs = arrivalMs[first]!;
    let end = first + 1;
    while (end < arrivalMs.length && arrivalMs[end] === atMs) end++;
    const untilMs = Math.min(atMs + tickMs, end < arrivalMs.length ? arrivalMs[end]! : nextMs);
    for (let row = first; row < end; row++) spread[row] = atMs + random.nextFloat() * (untilMs - atMs);
    spread.subarray(first, end).sort();
    first = end;
  }
  return spread;
}

/** What a reader should know of times with ticks. */
export function tickNote(tickMs: number, areSpread: boolean): string {
  const ticks = `Arrival times have ticks of ${formatTick(tickMs)}`;
  return areSpread ? `${ticks}; requests are spread within them.` : `${ticks} and are used as they are.`;
}

function formatTick(tickMs: number): string {
  return tickMs >= 1000 ? `${Number((tickMs / 1000).toFixed(2))} s` : `${Number(tickMs.toFixed(3))} ms`;
}

function distinctInstants(arrivalMs: Float64Array): Float64Array {
  const sorted = arrivalMs.slice().sort();
  let distinct = 0;
  for (let i = 0; i < sorted.length; i++) {
    if (i === 0 || sorted[i] !== sorted[i - 1]) sorted[distinct++] = sorted[i]!;
  }
  return sorted.subarray(0, distinct);
}
