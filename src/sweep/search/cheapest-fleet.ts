import { loadProfile, type ProfileTexts } from "../../scenario/profiles.js";
import type { Scenario } from "../../scenario/schema.js";
import type { SweepPlan } from "../plan.js";
import type { Evaluator } from "./evaluator.js";
import { compareMarks, markOf, type Objective } from "./objective.js";
import type { FoundPoint } from "./search-result.js";

export interface CheapestOptions {
  readonly objective: Objective;
  /** A fleet will do when every seed reaches this SLO attainment. */
  readonly attainment: number;
}

/** A point and what its fleet costs. */
export interface PricedPoint {
  readonly found: FoundPoint;
  readonly gpus: number;
}

export interface CheapestResult {
  /** The cheapest fleet that will do, with its best settings; null where none will. */
  readonly cheapest: PricedPoint | null;
  /** Everything that was tried, the highest price first, within one price the best first. */
  readonly tried: readonly PricedPoint[];
}

/**
 * The fleet with the fewest GPUs that carries the scenario's load: prices are tried from the lowest up, all points of
 * one price at once, until one of them reaches the attainment. Exact: nothing cheaper is left untried.
 */
export async function cheapestFleet(
  { points, seeds }: SweepPlan,
  profiles: ProfileTexts,
  evaluator: Evaluator,
  { objective, attainment }: CheapestOptions,
): Promise<CheapestResult> {
  const prices = new Map(points.map((point) => [point, gpusOf(point.scenario, profiles)]));
  const compare = compareMarks(objective, attainment);
  const tried: PricedPoint[] = [];
  for (const gpus of [...new Set(prices.values())].sort((a, b) => a - b)) {
    const level = points.filter((point) => prices.get(point) === gpus);
    const runs = level.flatMap(({ scenario }) => seeds.map((seed) => ({ ...scenario, seed })));
    const results = await evaluator.evaluate(`${gpus} GPUs, ${level.length} points`, runs);
    const found = level.map((point, i): FoundPoint => {
      const own = results.slice(i * seeds.length, (i + 1) * seeds.length);
      const summaries = own.map(({ summary }) => summary);
      return { point, seeds, results: own, mark: markOf(summaries, objective) };
    });
    found.sort((a, b) => compare(a.mark, b.mark) || a.point.index - b.point.index);
    tried.unshift(...found.map((one) => ({ found: one, gpus })));
    const [best] = found;
    if (best!.mark.attainment !== null && best!.mark.attainment >= attainment) {
      return { cheapest: { found: best!, gpus }, tried };
    }
  }
  return { cheapest: null, tried };
}

/** Workers of both legs times the tensor parallelism of their profiles. */
export function gpusOf({ fleet: { prefill, decode } }: Scenario, profiles: ProfileTexts): number {
  return (
    prefill.workers * loadProfile(prefill.profile, profiles).tp +
    decode.workers * loadProfile(decode.profile, profiles).tp
  );
}
