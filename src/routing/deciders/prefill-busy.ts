import { deciderSpec } from "../specs.js";
import { BUSY_CONDITION, bypassIf, DECODE_VETO, isPrefillBusy } from "./dynamo-conditions.js";

/**
 * Prefills on the decode worker while the chosen prefill worker is busy: it has more than
 * `prefill_busy_threshold` steps' worth of tokens to prefill.
 */
export const prefillBusy = deciderSpec({
  name: "prefill_busy",
  summary: "Disaggregate unless the chosen prefill worker is busy.",
  source: "NVIDIA Dynamo 1.4 conditional disaggregation, `prefill_load`",
  parameters: [...BUSY_CONDITION, ...DECODE_VETO],
  create: (params) => ({
    name: "prefill_busy",
    decide(request, context) {
      const { holds, figures } = isPrefillBusy(params, context);
      return bypassIf(holds, "prefill_busy", figures, params, request, context);
    },
  }),
});
