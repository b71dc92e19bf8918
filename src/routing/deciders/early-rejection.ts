import { number, optionalNumber } from "../parameters.js";
import { prefillMs, PREFILL_TIME } from "../prefill-time.js";
import { deciderSpec } from "../specs.js";
import type { DeciderContext, LegDecision, RoutingRequest } from "../types.js";

/**
 * Disaggregates every request that can be expected to meet its objectives and rejects the others before
 * anything is computed for them:
 *
 * ```
 * TTFT = the prefill policy's `estimated_ttft_ms`, or queue + prefill time where it gives none
 * TBT  = decode_step_base_ms + decode_ms_per_open_request * (open requests of the decode worker + 1)
 * TTFT > ttft_slo_ms || TBT > tbt_slo_ms -> reject                      (both strict)
 * ```
 * Mooncake also predicts the decode load at the end of the prefill; this looks at the load now.
 */
export const earlyRejection = deciderSpec({
  name: "early_rejection",
  summary: "Disaggregate, but reject requests that are expected to miss their objectives.",
  source: "Mooncake (FAST '25), algorithm 1 and early rejection",
  parameters: [
    optionalNumber("ttft_slo_ms", { min: 0, unit: "ms" }, "Longest expected TTFT; null = any."),
    optionalNumber("tbt_slo_ms", { min: 0, unit: "ms" }, "Longest expected time between tokens; null = any."),
    ...PREFILL_TIME,
    number("decode_step_base_ms", 11, { min: 0, unit: "ms" }, "Estimated decode step without requests."),
    number(
      "decode_ms_per_open_request",
      0.15,
      { min: 0, unit: "ms" },
      "Estimated time of each request in it.",
    ),
  ],
  usesPrefixes: true,
  create: (params) => ({
    name: "early_rejection",
    decide(request, context) {
      const prefill = context.prefillLeg();
      const ttft = prefill === null ? 0 : expectedTtftMs(params, prefill, request, context);
      const open = context.ledger.open(context.decodeLeg().worker) + 1;
      const tbt = params.decode_step_base_ms + params.decode_ms_per_open_request * open;
      const figures = { expected_ttft_ms: ttft, expected_tbt_ms: tbt };
      const rejected = { disaggregate: false, reject: true, figures };
      if (ttft > (params.ttft_slo_ms ?? Infinity)) return { ...rejected, branch: "ttft_slo" };
      if (tbt > (params.tbt_slo_ms ?? Infinity)) return { ...rejected, branch: "tbt_slo" };
      return { disaggregate: true, branch: "admitted", figures };
    },
  }),
});

function expectedTtftMs(
  params: Parameters<typeof prefillMs>[0],
  prefill: LegDecision,
  { promptTokens }: RoutingRequest,
  context: DeciderContext,
): number {
  const estimate = prefill.figures["estimated_ttft_ms"];
  if (estimate !== undefined) return estimate;
  const queued = params.prefill_ms_per_token * context.ledger.prefillTokens(prefill.worker);
  return queued + prefillMs(params, promptTokens, context.cachedTokens(context.worker(prefill.worker)));
}
