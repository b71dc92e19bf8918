import type { ConformanceCase } from "../conformance-case.js";
import { ABORT_CASES } from "./abort.js";
import { ANSWER_CASES } from "./answer.js";
import { DECODE_LEG_CASES } from "./decode-leg.js";
import { ERROR_CASES } from "./errors.js";
import { FLOW_CASES } from "./flow.js";
import { HEADER_CASES } from "./headers.js";
import { PASSAGE_CASES } from "./passage.js";
import { PREFILL_LEG_CASES } from "./prefill-leg.js";
import { RETRY_CASES } from "./retries.js";

/** Every case, in the order in which they run: first what all the others need. */
export const CONFORMANCE_CASES: readonly ConformanceCase[] = [
  ...DECODE_LEG_CASES,
  ...PREFILL_LEG_CASES,
  ...HEADER_CASES,
  ...ANSWER_CASES,
  ...PASSAGE_CASES,
  ...FLOW_CASES,
  ...ABORT_CASES,
  ...ERROR_CASES,
  ...RETRY_CASES,
];
