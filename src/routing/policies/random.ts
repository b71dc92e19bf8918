import { policySpec } from "../specs.js";

/** Any healthy worker with equal chance. */
export const random = policySpec({
  name: "random",
  summary: "Any healthy worker with equal chance.",
  source: "vllm-router 0.1.14 `random`",
  parameters: [],
  create: () => ({
    name: "random",
    pick(candidates, _request, context) {
      const choice = context.random.nextInt(candidates.length);
      const worker = candidates[choice]!.index;
      return {
        worker,
        policy: "random",
        branch: "random",
        figures: { choice, candidates: candidates.length },
      };
    },
  }),
});
