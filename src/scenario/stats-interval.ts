import type { ResolvedRouter } from "../routing/router-config.js";

/** Time between two polls of engine statistics where neither the scenario nor a preset says, ms. */
const DEFAULT_STATS_INTERVAL_MS = 1000;

/** Time between two polls of engine statistics that is in force, ms; 0 = read at every decision. */
export function statsIntervalMs(
  givenMs: number | null,
  { statsIntervalMs: presetMs }: Pick<ResolvedRouter, "statsIntervalMs">,
): number {
  return givenMs ?? presetMs ?? DEFAULT_STATS_INTERVAL_MS;
}
