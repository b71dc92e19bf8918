import { deciderSpec } from "../specs.js";
import {
  BUSY_CONDITION,
  bypassIf,
  DECODE_VETO,
  isPrefillBusy,
  isShort,
  LENGTH_CONDITION,
} from "./dynamo-conditions.js";

/** Prefills on the decode worker when little of the prompt is left to compute there, or the prefill worker is busy. */
export const lengthOrLoad = deciderSpec({
  name: "length_or_load",
  summary: "Disaggregate unless the prompt is short for the decode worker or the prefill worker busy.",
  source: "NVIDIA Dynamo 1.4 conditional disaggregation, `isl_or_load`",
  parameters: [...LENGTH_CONDITION, ...BUSY_CONDITION, ...DECODE_VETO],
  usesPrefixes: true,
  create: (params) => ({
    name: "length_or_load",
    decide(request, context) {
      const short = isShort(params, request, context);
      const busy = isPrefillBusy(params, context);
      const figures = { ...short.figures, ...busy.figures };
      const branch = short.holds ? "short" : "prefill_busy";
      return bypassIf(short.holds || busy.holds, branch, figures, params, request, context);
    },
  }),
});
