import { choice, number, type Values } from "../parameters.js";
import { KvEventIndex } from "./kv-event-index.js";
import { AllHolders } from "./prefix-holders.js";
import type { PrefixIndex } from "./prefix-index.js";

/** What Dynamo's selectors know of the engines' caches. */
export const DYNAMO_INDEX = [
  choice(
    "kv_index",
    "routing",
    ["routing", "kv_events"],
    "What is known of the engines' caches: what was routed where (approximate mode), or their KV events.",
  ),
  number(
    "index_ttl_s",
    120,
    { min: 0, exclusiveMin: true, unit: "s" },
    "How long a routed prefix counts as held.",
  ),
  number(
    "speculative_s",
    0,
    { min: 0, unit: "s" },
    "With KV events: how long a routed prompt counts as held.",
  ),
] as const;

/** The index that the parameters ask for. */
export function dynamoIndex(params: Values<typeof DYNAMO_INDEX>, fleetSize: number): PrefixIndex {
  return params.kv_index === "kv_events"
    ? new KvEventIndex(fleetSize, params.speculative_s * 1000)
    : new AllHolders(fleetSize, Infinity, params.index_ttl_s * 1000);
}
