import type { Scenario } from "../../scenario/schema.js";
import type { PlannedPoint, SweepPlan } from "../plan.js";
import type { Evaluator } from "./evaluator.js";
import { markOf, type Objective } from "./objective.js";
import type { FoundPoint } from "./search-result.js";

/** How the load is turned up and down: the trace's times are divided, or its arrivals re-timed. */
export type LoadKnob = "speedup" | "rate";

export interface LoadSearchOptions {
  readonly objective: Objective;
  /** A load is sustained when every seed reaches this SLO attainment. */
  readonly attainment: number;
  /** The largest sustained load is found to this relative width. */
  readonly tolerance: number;
}

/** The largest load of a point. */
export interface LoadLimit {
  /** The point at its largest sustained load; at the smallest one tried where none is sustained. */
  readonly found: FoundPoint;
  /** Value of the knob in the runs of `found`. */
  readonly value: number;
  /** Value of the knob that is sustained; null where none was. */
  readonly sustained: number | null;
  /** The smallest value that was tried and is not; null where all were sustained. */
  readonly exceeded: number | null;
  /** The search of this point ended early: it cannot reach what another one sustains. */
  readonly isBeaten: boolean;
}

/** Loads are tried up and down to this factor of the scenario's own. */
const WIDEST = 2 ** 10;

/** The knob for a plan: scenarios with a rate of their own are re-timed, the others sped up. */
export function knobOf({ base }: SweepPlan): LoadKnob {
  return base.workload.rate === null ? "speedup" : "rate";
}

/**
 * The largest load each point sustains: doubled or halved from the scenario's own until it is between two values,
 * then bisected. All points go in step, so that their runs fill all threads. A point that fails at a load
 * that another one sustains is left: attainment falls as the load grows.
 */
export async function largestLoads(
  plan: SweepPlan,
  evaluator: Evaluator,
  options: LoadSearchOptions,
): Promise<LoadLimit[]> {
  const knob = knobOf(plan);
  const searches = plan.points.map((point) => new LoadSearch(point, plan.seeds, knob, options));
  for (let round = 1; ; round++) {
    const best = Math.max(...searches.map(({ sustained }) => sustained));
    const active = searches.filter((search) => search.next(best) !== null);
    if (active.length === 0) break;
    const runs = active.map((search) => search.runsAt(search.next(best)!));
    const results = await evaluator.evaluate(`round ${round}, ${active.length} points`, runs.flat());
    for (const [i, search] of active.entries()) {
      const count = plan.seeds.length;
      search.take(search.next(best)!, results.slice(i * count, (i + 1) * count));
    }
  }
  const best = Math.max(...searches.map(({ sustained }) => sustained));
  return searches.map((search) => search.limit(best));
}

/** The search of one point. */
class LoadSearch {
  /** Largest sustained value; 0 = none yet. */
  sustained = 0;
  private exceeded = Infinity;
  private readonly point: PlannedPoint;
  private readonly seeds: readonly number[];
  private readonly knob: LoadKnob;
  private readonly options: LoadSearchOptions;
  private readonly start: number;
  private at: { readonly found: FoundPoint; readonly value: number } | null = null;

  constructor(point: PlannedPoint, seeds: readonly number[], knob: LoadKnob, options: LoadSearchOptions) {
    this.point = point;
    this.seeds = seeds;
    this.knob = knob;
    this.options = options;
    this.start = point.scenario.workload[knob]!;
  }

  /** The next value to try while another point sustains `best`; null when there is none. */
  next(best: number): number | null {
    const { sustained, exceeded, start } = this;
    if (this.isBeaten(best)) return null;
    if (exceeded === Infinity) {
      if (sustained >= start * WIDEST) return null;
      return sustained === 0 ? start : sustained * 2;
    }
    if (sustained === 0) return exceeded <= start / WIDEST ? null : exceeded / 2;
    if (exceeded / sustained <= 1 + this.options.tolerance) return null;
    // Six digits: what is printed is what was run.
    const middle = Number(Math.sqrt(sustained * exceeded).toPrecision(6));
    return middle > sustained && middle < exceeded ? middle : null;
  }

  runsAt(value: number): Scenario[] {
    const { scenario } = this.point;
    return this.seeds.map((seed) => ({
      ...scenario,
      seed,
      workload: { ...scenario.workload, [this.knob]: value },
    }));
  }

  take(value: number, results: FoundPoint["results"]): void {
    const summaries = results.map(({ summary }) => summary);
    const mark = markOf(summaries, this.options.objective);
    const isSustained = mark.attainment !== null && mark.attainment >= this.options.attainment;
    if (isSustained || this.sustained === 0) {
      this.at = { found: { point: this.point, seeds: this.seeds, results, mark }, value };
    }
    if (isSustained) this.sustained = value;
    else this.exceeded = value;
  }

  limit(best: number): LoadLimit {
    return {
      ...this.at!,
      sustained: this.sustained === 0 ? null : this.sustained,
      exceeded: this.exceeded === Infinity ? null : this.exceeded,
      isBeaten: this.isBeaten(best),
    };
  }

  private isBeaten(best: number): boolean {
    return this.exceeded <= best && this.sustained < best;
  }
}
