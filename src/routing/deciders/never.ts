import { deciderSpec } from "../specs.js";

const DECISION = { disaggregate: false, branch: "never", figures: {} };

/** Every request is prefilled and decoded on one decode worker. */
export const never = deciderSpec({
  name: "never",
  summary: "Never disaggregate: the decode worker prefills.",
  source: "aggregated serving, the baseline of all PD products",
  parameters: [],
  create: () => ({ name: "never", decide: () => DECISION }),
});
