import { policySpec } from "../specs.js";

/**
 * The healthy workers in turn: `candidates[turn % n]`, one counter per leg. When the number of healthy
 * workers changes, the phase of the rotation shifts, as in the product.
 */
export const roundRobin = policySpec({
  name: "round_robin",
  summary: "The healthy workers in turn, one counter per leg.",
  source: "vllm-router 0.1.14 `round_robin`; production-stack #587",
  parameters: [],
  create: () => {
    let turn = 0;
    return {
      name: "round_robin",
      pick(candidates) {
        const worker = candidates[turn % candidates.length]!.index;
        return { worker, policy: "round_robin", branch: "turn", figures: { turn: turn++ } };
      },
    };
  },
});
