import { deciderSpec } from "../specs.js";

const DECISION = { disaggregate: true, branch: "always", figures: {} };

/** Every request gets a prefill worker and a decode worker. */
export const always = deciderSpec({
  name: "always",
  summary: "Disaggregate every request.",
  source: "vllm-router 0.1.14 vLLM PD; llm-d `always-disagg-pd-decider`",
  parameters: [],
  create: () => ({ name: "always", decide: () => DECISION }),
});
