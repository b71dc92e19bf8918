import { deciderSpec } from "../specs.js";
import { bypassIf, DECODE_VETO, isShort, LENGTH_CONDITION } from "./dynamo-conditions.js";

/**
 * Prefills on the decode worker when it has little of the prompt left to compute:
 * `effective < eff_isl_threshold && effective / prompt < eff_isl_ratio_threshold`, both strict, where
 * `effective` = prompt tokens - tokens that the decode worker holds.
 */
export const effectiveLength = deciderSpec({
  name: "effective_length",
  summary: "Disaggregate unless little of the prompt is left to compute on the decode worker.",
  source: "NVIDIA Dynamo 1.4 conditional disaggregation, `isl_bounding`",
  parameters: [...LENGTH_CONDITION, ...DECODE_VETO],
  usesPrefixes: true,
  create: (params) => ({
    name: "effective_length",
    decide(request, context) {
      const { holds, figures } = isShort(params, request, context);
      return bypassIf(holds, "short", figures, params, request, context);
    },
  }),
});
