import { number } from "../parameters.js";
import { prefillMs, PREFILL_TIME } from "../prefill-time.js";
import { deciderSpec } from "../specs.js";

/**
 * Takes the path on which the first token is expected sooner:
 *
 * ```
 * local  = queue(decode worker) + prefill(prompt, held there) + local_ms_per_open_request * its open requests
 * remote = queue(prefill worker) + prefill(prompt, held there) + transfer_base_ms
 *        + transfer_ms_per_token * tokens that the decode worker does not hold
 * local - remote >= min_ttft_advantage_ms -> disaggregate
 * ```
 * `queue` is the estimated prefill time of the prompts whose prefill has not ended there. Meant for order
 * `decode_first`.
 */
export const predictedTtft = deciderSpec({
  name: "predicted_ttft",
  summary: "Disaggregate when the first token is expected sooner that way.",
  source: "after NVIDIA Dynamo `conditional_prefill` (ThresholdRegression), with its own estimates",
  parameters: [
    ...PREFILL_TIME,
    number(
      "transfer_base_ms",
      5,
      { min: 0, unit: "ms" },
      "Estimated time of a KV transfer before its first byte.",
    ),
    number(
      "transfer_ms_per_token",
      0.0128,
      { min: 0, unit: "ms" },
      "Estimated time to move a token's KV cache (320 KB at 200 Gbit/s).",
    ),
    number(
      "local_ms_per_open_request",
      0.15,
      { min: 0, unit: "ms" },
      "Estimated delay of a prefill by each request that its decode worker has open.",
    ),
    number(
      "min_ttft_advantage_ms",
      0,
      { unit: "ms" },
      "By how much disaggregation must be expected to be sooner (inclusive); negative values favour it.",
    ),
  ],
  usesPrefixes: true,
  create: (params) => ({
    name: "predicted_ttft",
    decide({ promptTokens }, context) {
      const prefill = context.prefillLeg();
      if (prefill === null) return { disaggregate: false, branch: "no_prefill_worker", figures: {} };
      const decode = context.worker(context.decodeLeg().worker);
      const { ledger } = context;
      const heldByDecode = context.cachedTokens(decode);
      const heldByPrefill = context.cachedTokens(context.worker(prefill.worker));
      const queueMs = (worker: number): number => params.prefill_ms_per_token * ledger.prefillTokens(worker);
      const local =
        queueMs(decode.index) +
        prefillMs(params, promptTokens, heldByDecode) +
        params.local_ms_per_open_request * ledger.open(decode.index);
      const remote =
        queueMs(prefill.worker) +
        prefillMs(params, promptTokens, heldByPrefill) +
        params.transfer_base_ms +
        params.transfer_ms_per_token * (promptTokens - heldByDecode);
      const figures = { local_ms: local, remote_ms: remote };
      return local - remote >= params.min_ttft_advantage_ms
        ? { disaggregate: true, branch: "remote_sooner", figures }
        : { disaggregate: false, branch: "local_sooner", figures };
    },
  }),
});
