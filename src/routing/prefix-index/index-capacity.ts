import { integer } from "../parameters.js";

/** How much a policy remembers; the default is llm-d's 31,250 blocks of 16 tokens. */
export const INDEX_CAPACITY = integer(
  "index_capacity",
  500_000,
  { min: 1, unit: "units" },
  "Units of prefixes remembered for each worker.",
);
