import { distributionOf } from "../../measure/distribution.js";
import type { Leg } from "../../routing/types.js";
import type { SimulationSetup } from "../../simulator/setup.js";
import { randomStream } from "../../values/random.js";
import { decidedLegs, type DecidedLeg } from "./decided-legs.js";
import { regretOf, type DecisionRegret } from "./decision-regret.js";

/** Regret of a sample of one leg's decisions; figures in ms. */
export interface LegRegret {
  readonly leg: Leg;
  readonly policy: string;
  /** Decisions of the run that could have gone elsewhere. */
  readonly decisions: number;
  readonly sampled: number;
  /** Share of the sample for which no other worker would have given an earlier first token. */
  readonly best_share: number | null;
  readonly ttft_ms: RegretFigures;
  readonly e2e_ms: RegretFigures;
}

/** What was got, and how much less the best worker would have taken. */
export interface RegretFigures {
  readonly mean: number | null;
  readonly regret_mean: number | null;
  readonly regret_p50: number | null;
  readonly regret_p90: number | null;
}

export interface RegretStudy {
  readonly legs: readonly LegRegret[];
  /** In order of the workload. */
  readonly decisions: readonly DecisionRegret[];
}

export interface StudyOptions {
  /** Decisions to look at, of both legs together; all where there are fewer. */
  readonly sample: number;
  /** Called with the simulations done and to do, the first one included. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Regret of a seeded sample of a run's decisions. Equal set-ups and options give equal studies. */
export function studyRegret(setup: SimulationSetup, { sample, onProgress }: StudyOptions): RegretStudy {
  const prefillWorkers = setup.prefill.length;
  const workersOf = (leg: Leg): number[] =>
    leg === "prefill"
      ? setup.prefill.map((_, index) => index)
      : setup.decode.map((_, index) => prefillWorkers + index);
  const legs = decidedLegs(setup).filter(({ leg }) => workersOf(leg).length > 1);
  const chosen = sampleOf(legs, sample, setup.seed);
  const alternatives = ({ leg, worker }: DecidedLeg) => workersOf(leg).filter((other) => other !== worker);
  const total = 1 + chosen.reduce((sum, decided) => sum + alternatives(decided).length, 0);
  let done = 1;
  onProgress?.(done, total);
  const decisions = chosen.map((decided) =>
    regretOf(setup, decided, alternatives(decided), () => onProgress?.(++done, total)),
  );
  return {
    decisions,
    legs: (["prefill", "decode"] as const).flatMap((leg) => {
      const all = legs.filter((decided) => decided.leg === leg);
      const looked = decisions.filter(({ decided }) => decided.leg === leg);
      return all.length === 0 ? [] : [legRegret(leg, all, looked)];
    }),
  };
}

function legRegret(leg: Leg, all: readonly DecidedLeg[], looked: readonly DecisionRegret[]): LegRegret {
  const best = looked.filter(({ decided, best: { ttft } }) => ttft.worker === decided.worker).length;
  return {
    leg,
    policy: all[0]!.policy,
    decisions: all.length,
    sampled: looked.length,
    best_share: looked.length === 0 ? null : best / looked.length,
    ttft_ms: figuresOf(looked.map(({ decided, best: { ttft } }) => [decided.outcome.ttftMs, ttft.ms])),
    e2e_ms: figuresOf(looked.map(({ decided, best: { e2e } }) => [decided.outcome.e2eMs, e2e.ms])),
  };
}

function figuresOf(pairs: readonly (readonly [got: number, best: number])[]): RegretFigures {
  const regret = distributionOf(Float64Array.from(pairs, ([got, best]) => got - best));
  return {
    mean: distributionOf(Float64Array.from(pairs, ([got]) => got)).mean,
    regret_mean: regret.mean,
    regret_p50: regret.p50,
    regret_p90: regret.p90,
  };
}

/** `size` of the decisions, each with the same chance, in their order. */
function sampleOf(legs: readonly DecidedLeg[], size: number, seed: number): DecidedLeg[] {
  const random = randomStream(seed, "regret");
  const places = legs.map((_, place) => place);
  const taken: number[] = [];
  for (let i = 0; i < Math.min(size, legs.length); i++) {
    const at = i + random.nextInt(places.length - i);
    [places[i], places[at]] = [places[at]!, places[i]!];
    taken.push(places[i]!);
  }
  return taken.toSorted((a, b) => a - b).map((place) => legs[place]!);
}
