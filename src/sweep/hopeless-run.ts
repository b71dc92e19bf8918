import { RequestTally } from "../measure/request-tally.js";
import type { Slo } from "../measure/summary.js";
import type { SimulationHooks } from "../simulator/hooks.js";

/** Looking at all requests this often, evenly over a run, costs little and stops it soon enough. */
const LOOKS = 64;

/** A run was stopped because its SLO attainment can no longer reach what was asked for. */
export class HopelessRun extends Error {
  constructor(message: string) {
    super(message);
    this.name = "HopelessRun";
  }
}

/**
 * A watch over a run's progress that throws `HopelessRun` once so many requests have missed an objective that
 * even if every other request met all of them, the attainment would stay below `share`.
 *
 * Where it stops depends on the run alone, so results do not depend on what else runs.
 */
export function stopWhenHopeless(slo: Slo, share: number): NonNullable<SimulationHooks["onProgress"]> {
  let nextLook = 0;
  return (ended, records) => {
    if (ended < nextLook) return;
    nextLook = ended + records.count / LOOKS;
    // Open requests may count as good already, so there are at least this many misses.
    const tally = new RequestTally(slo);
    for (let row = 0; row < records.count; row++) tally.add(records, row);
    const misses = ended - tally.good;
    if (records.count - misses >= share * records.count) return;
    throw new HopelessRun(
      `stopped early: after ${ended} of ${records.count} requests at least ${misses} had missed the SLO, ` +
        `so attainment cannot reach ${Number((share * 100).toFixed(2))} %`,
    );
  };
}
