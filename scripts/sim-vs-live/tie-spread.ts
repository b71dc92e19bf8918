import { compareRuns, type ComparedFigure } from "../../src/replay/compare-runs.js";
import { formatChangeRange } from "../../src/report/format.js";
import { simulate } from "../../src/simulator/simulator.js";
import { preparedCase, summaryOf } from "./prepared-case.js";
import type { Case } from "./cases.js";

/** How far a figure of the simulation moves when nothing but the draws of ties change: least and most. */
export interface TieSpread {
  readonly unit: ComparedFigure["unit"];
  readonly low: number;
  readonly high: number;
}

const SEEDS = 20;

/**
 * The spread of every figure over simulations of the same arrivals with other seeds of the router: among equally loaded
 * workers a random one is taken. Draws are per request, so a live run has the simulation's; where a difference of
 * milliseconds makes or breaks a tie, workers and queues differ from there on, by up to this much.
 */
export async function tieSpread(
  theCase: Case,
  trace: string,
  requests: number,
): Promise<readonly TieSpread[]> {
  const { scenario, setup } = await preparedCase(theCase, trace, requests);
  const first = summaryOf(scenario, simulate(setup));
  const others = Array.from({ length: SEEDS }, (_, i) =>
    compareRuns(first, summaryOf(scenario, simulate({ ...setup, seed: setup.seed + 1 + i }))),
  );
  return others[0]!.map(({ unit }, row) => {
    const differences = others.map((figures) => figures[row]!.difference ?? 0);
    return { unit, low: Math.min(...differences), high: Math.max(...differences) };
  });
}

/** A spread in print, in the form of the differences beside it. */
export function spreadText({ unit, low, high }: TieSpread): string {
  if (unit === "ms") return `${formatChangeRange(low, high)} %`;
  const points = (share: number) => String(Number((share * 100).toFixed(1)));
  return `${points(low)}..${points(high)} points`;
}
