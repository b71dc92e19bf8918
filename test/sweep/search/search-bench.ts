import { identify } from "../../../src/sweep/fingerprint.js";
import { knownGrid } from "../../../src/sweep/search/compare-with-grid.js";
import { Evaluator, type EvaluatorOptions } from "../../../src/sweep/search/evaluator.js";
import type { Objective } from "../../../src/sweep/search/objective.js";
import { optimize, type OptimizeOutcome, type SearchRequest } from "../../../src/sweep/search/optimize.js";
import type { SweepPlan } from "../../../src/sweep/plan.js";
import { inline, smallPlan } from "../sweep-bench.js";

export const GOODPUT: Objective = {
  name: "goodput.requests_per_s",
  better: "higher",
  read: ({ goodput }) => goodput.requests_per_s,
};

/** A fleet that some settings and sizes are too small for. */
const SPACE = `
name: space
fleet: { prefill: { workers: 2, profile: llama-3.1-8b-h100-tp1-bf16 }, decode: { workers: 2 } }
workload: { generate: { kind: lengths, rate: 40 }, requests: 300 }
router: { decider: { kind: threshold } }
slo: { ttft_ms: 400, tpot_ms: 30 }
`;

/** @param arrivals more settings of the workload */
export function planOf(sweep: string, arrivals = ""): SweepPlan {
  return smallPlan(`${SPACE.replace("workload: { ", `workload: { ${arrivals}`)}${sweep}`);
}

/** Searches in this thread and without a directory, unless told otherwise. */
export async function search(
  plan: SweepPlan,
  request: Partial<Omit<SearchRequest, "compare">> & { readonly compare?: string },
  options: Partial<EvaluatorOptions> = {},
): Promise<OptimizeOutcome> {
  const identity = await identify(plan, null);
  const whole: SearchRequest = {
    goal: "best",
    objective: GOODPUT,
    attainment: null,
    eta: 3,
    minRequests: 50,
    tolerance: 0.05,
    ...request,
    compare: request.compare === undefined ? null : await knownGrid(request.compare, identity.fingerprint),
  };
  const evaluator = new Evaluator(identity, {
    directory: null,
    search: { goal: whole.goal },
    stopBelow: whole.goal === "best" ? null : whole.attainment,
    execute: inline,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    ...options,
  });
  try {
    return await optimize(plan, identity, evaluator, whole);
  } finally {
    evaluator.close();
  }
}
