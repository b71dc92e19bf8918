import { number, optionalNumber, type Values } from "../parameters.js";
import type { DeciderContext, DeciderDecision, Figures, RoutingRequest, Worker } from "../types.js";

/**
 * The conditions of Dynamo's conditional disaggregation, of which its three policies are made.
 *
 * Source: NVIDIA Dynamo 1.4 `conditional_disagg.rs` (088ca50b), `conditional_bypass.rs` (07a6c9ce). A bypass is
 * a prefill on the decode worker. Meant for order `decode_first`, as there.
 */

/** Where a worker does not tell its token budget. */
const TOKEN_BUDGET = 8192;

export const LENGTH_CONDITION = [
  number(
    "eff_isl_threshold",
    2048,
    { min: 0, unit: "tokens" },
    "A prompt counts as short when fewer tokens than this (strictly) are left to compute on the decode worker.",
  ),
  number(
    "eff_isl_ratio_threshold",
    0.7,
    { min: 0, unit: "ratio" },
    "A prompt counts as short only when less than this share of it (strictly) is left to compute.",
  ),
] as const;

export const BUSY_CONDITION = [
  number(
    "prefill_busy_threshold",
    1,
    { min: 0, unit: "ratio" },
    "A prefill worker counts as busy with more tokens (strictly) to prefill than this times its token budget of a step (8,192 where unknown).",
  ),
] as const;

export const DECODE_VETO = [
  optionalNumber(
    "decode_busy_threshold",
    { min: 0, unit: "ratio" },
    "Nothing is prefilled on a decode worker whose open prompts and this one take more than this share (strictly) of its KV cache, or whose KV capacity is unknown; null = no such veto.",
  ),
] as const;

export interface Condition {
  readonly holds: boolean;
  readonly figures: Figures;
}

/** Little of the prompt is left to compute on the decode worker. */
export function isShort(
  params: Values<typeof LENGTH_CONDITION>,
  { promptTokens }: RoutingRequest,
  context: DeciderContext,
): Condition {
  const effective = promptTokens - context.cachedTokens(decodeWorkerOf(context));
  const ratio = effective / Math.max(promptTokens, 1);
  return {
    holds: effective < params.eff_isl_threshold && ratio < params.eff_isl_ratio_threshold,
    figures: { effective_tokens: effective, effective_ratio: ratio },
  };
}

/** The chosen prefill worker has much to prefill already; true when there is none. */
export function isPrefillBusy(params: Values<typeof BUSY_CONDITION>, context: DeciderContext): Condition {
  const leg = context.prefillLeg();
  if (leg === null) return { holds: true, figures: {} };
  const budget = context.worker(leg.worker).maxNumBatchedTokens ?? TOKEN_BUDGET;
  const active = context.ledger.prefillTokens(leg.worker);
  const bound = params.prefill_busy_threshold * budget;
  return { holds: active > bound, figures: { prefill_tokens: active, busy_above: bound } };
}

/** Prefills on the decode worker when `condition` holds, unless the veto forbids it. */
export function bypassIf(
  condition: boolean,
  branch: string,
  figures: Figures,
  params: Values<typeof DECODE_VETO>,
  request: RoutingRequest,
  context: DeciderContext,
): DeciderDecision {
  if (!condition) return { disaggregate: true, branch: "disaggregate", figures };
  const { decode_busy_threshold: threshold } = params;
  if (threshold === null) return { disaggregate: false, branch, figures };
  const worker = decodeWorkerOf(context);
  const tokens = context.ledger.openTokens(worker.index) + request.promptTokens;
  const capacity = worker.kvCapacityTokens ?? 0;
  const compared = { ...figures, decode_tokens: tokens, decode_capacity_tokens: capacity };
  return capacity > 0 && tokens <= threshold * capacity
    ? { disaggregate: false, branch, figures: compared }
    : { disaggregate: true, branch: "decode_busy", figures: compared };
}

function decodeWorkerOf(context: DeciderContext): Worker {
  return context.worker(context.decodeLeg().worker);
}
