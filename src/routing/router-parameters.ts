import { choice, integer, type Values } from "./parameters.js";

/** Settings of the router itself, beside its decider, its policies and its load accounting. */
export const ROUTER_PARAMETERS = [
  choice(
    "order",
    "independent",
    ["independent", "decode_first", "prefill_first", "joint", "late_decode"],
    "Which leg is chosen first. independent: the decider is asked, then each leg is chosen by itself; decode_first: the decode worker before the decider is asked; prefill_first: the prefill worker before it; joint: both together, by the sum of their costs, in one group; late_decode: the decode worker when the prefill has ended.",
  ),
  choice(
    "pairing",
    "any",
    ["any", "same_group"],
    "same_group: both legs on workers of one group (AIBrix roleset, Dynamo topology domain).",
  ),
  choice(
    "index_update",
    "routing",
    ["routing", "prefill_end"],
    "When a prefix index takes the chosen worker to hold the prompt: when it is routed (all public approximate indexes) or when its prefill has ended.",
  ),
  choice(
    "without_prefill_worker",
    "decode_only",
    ["decode_only", "reject"],
    "What becomes of a request to disaggregate while no prefill worker is healthy.",
  ),
  integer(
    "router_replicas",
    1,
    { min: 1, max: 1000 },
    "Routers that get the requests in turn, each with a ledger and an index of its own share.",
  ),
  choice(
    "session_key_reaches",
    "both",
    ["both", "prefill", "decode", "none"],
    "Which leg's policy sees the session key: a key that a hop renames ('-' to '_') or does not pass on is lost.",
  ),
  choice(
    "prefill_output",
    "one_token",
    ["one_token", "client_limit"],
    "What a prefill leg generates: one token, or all that the client asked for, as when max_completion_tokens is left in its request (Ray before #63679).",
  ),
] as const;

export type RouterParameters = Values<typeof ROUTER_PARAMETERS>;
export type ChoiceOrder = RouterParameters["order"];
