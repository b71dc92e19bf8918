import type { Random } from "../../values/random.js";
import { Lowest } from "../lowest.js";
import { choice, flag, integer, number, type Values } from "../parameters.js";
import { PendingWork, releaseHooks } from "../pending-work.js";
import { DYNAMO_INDEX, dynamoIndex } from "../prefix-index/dynamo-index.js";
import { indexHooks } from "../prefix-index/prefix-index.js";
import { policySpec, type PolicySetup } from "../specs.js";
import type { Policy, PolicyContext, RoutingRequest, Worker } from "../types.js";

const PARAMETERS = [
  number(
    "overlap_score_credit",
    1,
    { min: 0 },
    "What a block of the prompt that the worker holds is worth, in blocks.",
  ),
  number(
    "overlap_credit_decay",
    0,
    { min: 0 },
    "How fast that credit falls with prefill work beyond the least busy worker's; 0 = not at all.",
  ),
  number("prefill_load_scale", 1, { min: 0 }, "Weight of prefill blocks against decode blocks."),
  number(
    "decode_active_request_weight",
    0,
    { min: 0, unit: "blocks" },
    "What each open request costs besides its blocks.",
  ),
  number(
    "router_temperature",
    0,
    { min: 0 },
    "0 = the lowest cost; else a softmax over costs scaled to 0..1 and divided by this.",
  ),
  choice(
    "selection",
    "cost",
    ["cost", "lmetric"],
    "cost: prefill and decode blocks are added; lmetric: prefill blocks times (decode blocks + 1).",
  ),
  flag("track_decode_blocks", true, "Decode blocks take part (Dynamo turns them off for prefill workers)."),
  flag("track_prefill_tokens", true, "Prefill blocks take part (Dynamo turns them off for decode workers)."),
  ...DYNAMO_INDEX,
  integer("kv_block_size", 64, { min: 1, unit: "tokens" }, "Tokens of a block in the cost."),
] as const;

type Params = Values<typeof PARAMETERS>;

/**
 * The worker of lowest cost, in KV blocks:
 *
 * ```
 * raw      = blocks of uncached tokens being prefilled + blocks of the prompt
 * excess   = (tokens being prefilled - the least of any candidate) / block size / blocks of the prompt
 * credit   = overlap_score_credit / (1 + overlap_credit_decay * excess) * blocks of the prompt held
 * prefill  = max(raw - credit, 0)
 * cost     = prefill_load_scale * prefill + blocks open + decode_active_request_weight * open requests
 * lmetric  = prefill * (blocks open + 1)
 * decode workers (track_prefill_tokens off): max(0, blocks open - credit) + the request term
 * T > 0    : chance ~ exp(-(cost - min) / (max - min) / T)
 * ```
 * Blocks open are those of prompts in the ledger: the router does not know how far outputs have grown.
 * Host, disk and shared tiers are not modelled. Ties are random.
 */
export const dynamoKv = policySpec({
  name: "dynamo_kv",
  summary: "The worker of lowest KV cost: blocks to prefill, less blocks held, plus blocks being decoded.",
  source: "NVIDIA Dynamo 1.4 KV router (`selector/default.rs` 07a6c9ce)",
  parameters: PARAMETERS,
  usesKvEvents: (params) => params.kv_index === "kv_events",
  givesCosts: true,
  create: (params, setup) => dynamoKvPolicy(params, setup),
});

function dynamoKvPolicy(params: Params, { fleetSize }: PolicySetup): Policy {
  const index = dynamoIndex(params, fleetSize);
  const prefilling = new PendingWork(fleetSize);
  const held = new Float64Array(fleetSize);
  const costsOf = new Float64Array(fleetSize);
  const lowest = new Lowest(fleetSize, "random");

  function costs(
    candidates: readonly Worker[],
    { prefix, promptTokens }: RoutingRequest,
    { ledger, nowMs }: PolicyContext,
    out: Float64Array,
  ): string {
    const { kv_block_size: blockSize, track_prefill_tokens: tracksPrefill } = params;
    index.unitsOfEach(prefix, nowMs, held);
    const tokensPerUnit = prefix.totalUnits > 0 ? promptTokens / prefix.totalUnits : 0;
    const blocks = Math.max(1, Math.ceil(promptTokens / blockSize));
    let leastPrefilling = Infinity;
    for (const worker of candidates) {
      leastPrefilling = Math.min(leastPrefilling, prefilling.of(worker.index));
    }
    for (const worker of candidates) {
      const pending = prefilling.of(worker.index);
      const excess = (pending - leastPrefilling) / blockSize / blocks;
      const overlap = (held[worker.index]! * tokensPerUnit) / blockSize;
      const credit = (params.overlap_score_credit * overlap) / (1 + params.overlap_credit_decay * excess);
      const open = params.track_decode_blocks ? ledger.openTokens(worker.index) / blockSize : 0;
      const requests = params.decode_active_request_weight * ledger.open(worker.index);
      const prefill = Math.max(0, pending / blockSize + blocks - credit);
      if (!tracksPrefill) out[worker.index] = Math.max(0, open - credit) + requests;
      else if (params.selection === "lmetric") out[worker.index] = prefill * (open + 1);
      else out[worker.index] = params.prefill_load_scale * prefill + open + requests;
    }
    return params.selection;
  }

  return {
    name: "dynamo_kv",
    costs,
    pick(candidates, request, context) {
      const branch = costs(candidates, request, context, costsOf);
      lowest.reset();
      for (const worker of candidates) lowest.offer(worker.index, costsOf[worker.index]!);
      const { router_temperature: temperature } = params;
      const worker =
        temperature > 0
          ? sample(candidates, costsOf, temperature, context.random)
          : lowest.take(context.random);
      return {
        worker,
        policy: "dynamo_kv",
        branch: temperature > 0 ? "softmax" : branch,
        figures: { cost: costsOf[worker]!, min_cost: lowest.value, held_units: held[worker]! },
      };
    },
    onRouted({ worker }, { id, prefix, promptTokens }, _nowMs, prefillsHere) {
      if (!prefillsHere) return;
      const share = prefix.totalUnits > 0 ? held[worker]! / prefix.totalUnits : 0;
      prefilling.add(id, worker, promptTokens * (1 - share));
    },
    ...releaseHooks(prefilling),
    ...indexHooks(index),
  };
}

/** A candidate with chance proportional to `exp(-(cost - min) / (max - min) / temperature)`. */
function sample(
  candidates: readonly Worker[],
  costs: Float64Array,
  temperature: number,
  random: Random,
): number {
  let min = Infinity;
  let max = -Infinity;
  for (const { index } of candidates) {
    min = Math.min(min, costs[index]!);
    max = Math.max(max, costs[index]!);
  }
  const range = max > min ? max - min : 1;
  const chance = (index: number): number => Math.exp(-(costs[index]! - min) / range / temperature);
  let left = candidates.reduce((sum, { index }) => sum + chance(index), 0) * random.nextFloat();
  for (const { index } of candidates) {
    left -= chance(index);
    if (left < 0) return index;
  }
  return candidates[candidates.length - 1]!.index;
}
