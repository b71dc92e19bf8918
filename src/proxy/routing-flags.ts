import { InputError } from "../errors.js";

/** Flags that say how to route; values as typed. The names are vllm-router's and production-stack's. */
export interface RoutingFlags {
  readonly vllmPdDisaggregation?: true;
  readonly workerUrls?: readonly string[];
  readonly preset?: string;
  readonly decider?: string;
  readonly policy?: string;
  readonly prefillPolicy?: string;
  readonly decodePolicy?: string;
  readonly cacheThreshold?: string;
  readonly balanceAbsThreshold?: string;
  readonly balanceRelThreshold?: string;
  readonly evictionInterval?: string;
  readonly evictionIntervalSecs?: string;
  readonly maxTreeSize?: string;
  readonly routingThreshold?: string;
  readonly loadBalancingStrategy?: string;
  readonly routingLogic?: string;
  readonly requestStatsWindow?: string;
  readonly prefixMinMatchLength?: string;
  /** `--set path=value`, relative to the `router` block. */
  readonly set?: readonly string[];
}

type Block = Record<string, unknown>;

/** production-stack's `--routing-logic` in terms of deciders and policies. */
const ROUTING_LOGICS: Readonly<Record<string, Block>> = {
  roundrobin: { decider: "never", policy: "round_robin" },
  session: { decider: "never", policy: "consistent_hash" },
  prefixaware: { decider: "never", policy: "prefix_aware" },
  disaggregated_prefill: { decider: "threshold", policy: "round_robin" },
  disaggregated_prefill_orchestrated: { decider: "always", policy: "round_robin" },
};

/** Parameters by the flag that sets them. */
const PARAMETERS = {
  cacheThreshold: "cache_threshold",
  balanceAbsThreshold: "balance_abs_threshold",
  balanceRelThreshold: "balance_rel_threshold",
  evictionInterval: "eviction_interval_s",
  evictionIntervalSecs: "eviction_interval_s",
  maxTreeSize: "max_tree_size",
  requestStatsWindow: "request_stats_window_s",
  prefixMinMatchLength: "prefix_min_match_length",
} as const satisfies Partial<Record<keyof RoutingFlags, string>>;

/**
 * The `router` block that the flags stand for, laid over `base` (the block of a scenario, or nothing). Where
 * nothing says otherwise, the flags of each product bring that product's default: cache_aware on both legs
 * with `--vllm-pd-disaggregation` and `--worker-urls`, round robin with `--routing-logic`.
 *
 * @throws InputError for flags that contradict each other or that no setting stands for.
 */
export function routerBlock(flags: RoutingFlags, base: Readonly<Block> = {}): Block {
  const block: Block = { ...productDefaults(flags, base), ...base };
  if (flags.preset !== undefined) block["preset"] = flags.preset;
  if (flags.policy !== undefined) {
    block["policy"] = flags.policy;
    delete block["prefill_policy"];
    delete block["decode_policy"];
  }
  if (flags.loadBalancingStrategy !== undefined) {
    if (flags.policy !== undefined) {
      throw new InputError("--load-balancing-strategy with --policy: expected one of them");
    }
    block["policy"] = flags.loadBalancingStrategy;
  }
  if (flags.prefillPolicy !== undefined) block["prefill_policy"] = flags.prefillPolicy;
  if (flags.decodePolicy !== undefined) block["decode_policy"] = flags.decodePolicy;
  if (flags.decider !== undefined) block["decider"] = { kind: flags.decider };
  if (flags.routingThreshold !== undefined) {
    block["decider"] = {
      ...deciderBlock(block["decider"]),
      routing_threshold: scalar(flags.routingThreshold),
    };
  }
  for (const [flag, name] of Object.entries(PARAMETERS) as [keyof typeof PARAMETERS, string][]) {
    const value = flags[flag];
    if (value !== undefined) block[name] = scalar(value);
  }
  for (const assignment of flags.set ?? []) assign(block, assignment);
  return block;
}

function productDefaults(flags: RoutingFlags, base: Readonly<Block>): Block {
  const { routingLogic, vllmPdDisaggregation, workerUrls } = flags;
  if (routingLogic !== undefined) {
    const logic = ROUTING_LOGICS[routingLogic];
    if (logic !== undefined) return logic;
    const known = Object.keys(ROUTING_LOGICS).join(", ");
    throw new InputError(`--routing-logic ${routingLogic} is not supported, expected one of ${known}`);
  }
  if (flags.preset !== undefined || Object.keys(base).length > 0) return {};
  if (workerUrls !== undefined) return { decider: "never", policy: "cache_aware" };
  return vllmPdDisaggregation === true ? { policy: "cache_aware" } : {};
}

function deciderBlock(decider: unknown): Block {
  if (typeof decider === "string") return { kind: decider };
  return typeof decider === "object" && decider !== null ? { ...decider } : { kind: "threshold" };
}

/** A value as YAML would read it: a number, true, false, null, or text. */
function scalar(text: string): unknown {
  if (text === "true" || text === "false") return text === "true";
  if (text === "null") return null;
  return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

function assign(block: Block, assignment: string): void {
  const equals = assignment.indexOf("=");
  if (equals < 1) throw new InputError(`--set ${assignment}: expected PATH=VALUE`);
  const path = assignment
    .slice(0, equals)
    .replace(/^router\./, "")
    .split(".");
  const last = path.pop()!;
  let inner = block;
  for (const name of path) {
    const next =
      name === "decider" ? deciderBlock(inner[name] ?? {}) : { ...(inner[name] as Block | undefined) };
    inner[name] = next;
    inner = next;
  }
  inner[last] = scalar(assignment.slice(equals + 1));
}
