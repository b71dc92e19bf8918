/**
 * Whether a worker that is new or back must wait for its next leg: while it warms up it holds at most its
 * share of what the others hold, a share that grows from nothing to the whole over the time of the slow start.
 * A load-aware policy would otherwise send everything to the one worker that has nothing to do.
 *
 * @param openLegs Legs open on the worker.
 * @param openOfOthers Legs open on each of the leg's workers that take requests and are not warming up.
 * @param sinceMs Time since the worker was taken in.
 */
export function isHeldBack(
  openLegs: number,
  openOfOthers: readonly number[],
  sinceMs: number,
  slowStartMs: number,
): boolean {
  if (sinceMs >= slowStartMs || openOfOthers.length === 0) return false;
  const mean = openOfOthers.reduce((sum, open) => sum + open, 0) / openOfOthers.length;
  return openLegs >= Math.max(1, Math.ceil((sinceMs / slowStartMs) * mean));
}
