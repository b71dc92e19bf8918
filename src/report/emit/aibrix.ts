import { stringify } from "yaml";
import type { ParameterValue, ParameterValues } from "../../routing/parameters.js";
import type { Choice } from "../../routing/router-config.js";
import { differences, type Difference, type Emission, type EmitTarget, type Reasons } from "./emission.js";
import { alwaysDisaggregates, choiceOf, settingsOfBlock, type Wanted } from "./wanted.js";

/** An environment variable of the gateway plugin, and the parameter that it holds. */
interface Variable {
  readonly name: string;
  readonly parameter: string;
  /** What a parameter is divided by to give the variable; the variable must then be a whole number. */
  readonly whole: number | null;
}

const INDEX_VARIABLES: readonly Variable[] = [
  { name: "AIBRIX_PREFIX_CACHE_STANDARD_DEVIATION_FACTOR", parameter: "stddev_factor", whole: 1 },
  { name: "AIBRIX_PREFIX_CACHE_BLOCK_NUMBER", parameter: "index_capacity", whole: 1 },
  { name: "AIBRIX_PREFIX_CACHE_EVICTION_DURATION_MINS", parameter: "index_ttl_s", whole: 60 },
];

const PD_VARIABLES: readonly Variable[] = [
  { name: "AIBRIX_PREFILL_SCORE_POLICY", parameter: "prefill_score", whole: null },
  { name: "AIBRIX_DECODE_SCORE_POLICY", parameter: "decode_score", whole: null },
  {
    name: "AIBRIX_PREFILL_LOAD_IMBALANCE_MIN_SPREAD",
    parameter: "prefill_imbalance_threshold",
    whole: null,
  },
  { name: "AIBRIX_DECODE_LOAD_IMBALANCE_MIN_SPREAD", parameter: "decode_imbalance_threshold", whole: null },
  ...INDEX_VARIABLES,
];

const PREFIX_CACHE_VARIABLES: readonly Variable[] = [
  {
    name: "AIBRIX_PREFIX_CACHE_POD_RUNNING_REQUEST_IMBALANCE_ABS_COUNT",
    parameter: "imbalance_abs_threshold",
    whole: 1,
  },
  ...INDEX_VARIABLES,
];

/** Routing strategies without disaggregation. */
const STRATEGIES: Readonly<Record<string, string>> = {
  random: "random",
  in_flight: "least-request",
  power_of_two: "power-of-two",
  aibrix_prefix_cache: "prefix-cache",
};

const REASONS: Reasons = {
  "decider.": "the pd strategy disaggregates by length buckets of pods only",
  prefill_policy: "the pd strategy chooses both legs by its own scores",
  decode_policy: "the pd strategy chooses both legs by its own scores",
  "prefill.miss_weight": "0.1 is fixed in its code",
  "decode.miss_weight": "0.1 is fixed in its code",
  "prefill.": "it is a whole number there, or shared by both legs",
  "decode.": "it is a whole number there, or shared by both legs",
  order: "both legs are chosen together, within one roleset",
  pairing: "both legs come from one roleset: group the workers accordingly",
  without_prefill_worker: "without a prefill pod requests fail",
};

/** AIBrix's gateway plugin: environment and model annotation, after its sources of August 2026. */
export const aibrix: EmitTarget = {
  name: "aibrix",
  summary: "gateway plugin environment and pod annotation of AIBrix",
  emit(wanted: Wanted): Emission {
    const { decider } = wanted.config;
    const setup = decider.name === "never" ? withoutDisaggregation(wanted) : disaggregated(wanted);
    const refresh = refreshInterval(wanted);
    const profile = { routingStrategy: setup.strategy, ...setup.routingConfig };
    const yaml = stringify({
      gatewayPlugin: {
        env: [...setup.env, ...refresh.env].map(([name, value]) => ({ name, value: String(value) })),
      },
      podAnnotations: {
        "model.aibrix.ai/config": JSON.stringify({ profiles: { default: profile } }),
      },
    });
    return {
      product: "AIBrix gateway plugins (August 2026)",
      form: { yaml },
      differences: [...differences(wanted, settingsOfBlock(setup.block), REASONS), ...refresh.differences],
      notes: setup.notes,
    };
  },
};

interface Setup {
  readonly strategy: string;
  readonly env: readonly (readonly [string, ParameterValue])[];
  readonly routingConfig: Readonly<Record<string, unknown>>;
  readonly block: Readonly<Record<string, unknown>>;
  readonly notes: readonly string[];
}

function disaggregated({ config }: Wanted): Setup {
  const { decider, prefillPolicy, decodePolicy } = config;
  const owner = [prefillPolicy, decodePolicy].find(({ name }) => name === "aibrix_pd");
  const variables = valuesOf(PD_VARIABLES, owner?.params ?? {});
  const bucket = alwaysDisaggregates(config) ? null : bucketOf(decider);
  return {
    strategy: "pd",
    env: [
      ...variables.env,
      ...(bucket === null ? [] : ([["AIBRIX_PROMPT_LENGTH_BUCKETING", true]] as const)),
    ],
    routingConfig: bucket === null ? {} : { routingConfig: bucket },
    block: {
      preset: "aibrix",
      ...variables.block,
      ...(bucket !== null && { decider: { kind: decider.name, ...decider.params } }),
    },
    notes:
      bucket === null
        ? []
        : [
            'prompts outside the range need pods of their own, with routingConfig {"combined": true}',
            "its drain scores can send a prompt of the range to such a pod as well",
          ],
  };
}

/** The range of lengths that prefill pods take: a threshold is a range without an end. */
function bucketOf({ name, params }: Choice): Readonly<Record<string, ParameterValue>> | null {
  if (name === "threshold") return { promptLenBucketMinLength: params["routing_threshold"]! };
  if (name !== "length_bucket") return null;
  const max = params["disaggregate_max_tokens"] ?? null;
  return {
    promptLenBucketMinLength: params["disaggregate_min_tokens"]!,
    ...(max !== null && { promptLenBucketMaxLength: max }),
  };
}

function withoutDisaggregation({ config }: Wanted): Setup {
  const { name, params } = choiceOf(config, "decode");
  const strategy = STRATEGIES[name];
  const policy = strategy === undefined ? "in_flight" : name;
  const variables =
    name === "aibrix_prefix_cache" ? valuesOf(PREFIX_CACHE_VARIABLES, params) : valuesOf([], {});
  return {
    strategy: strategy ?? "least-request",
    env: variables.env,
    routingConfig: {},
    block: { decider: "never", policy, ...variables.block },
    notes: name === "power_of_two" ? ["its counts are kept in Redis"] : [],
  };
}

function valuesOf(variables: readonly Variable[], params: ParameterValues): Pick<Setup, "env" | "block"> {
  const given = variables.filter(({ parameter, whole }) => {
    const value = params[parameter];
    return value !== undefined && (whole === null || Number.isInteger((value as number) / whole));
  });
  return {
    env: given.map(({ name, parameter, whole }) => {
      const value = params[parameter]!;
      return [name, whole === null ? value : (value as number) / whole] as const;
    }),
    block: Object.fromEntries(given.map(({ parameter }) => [parameter, params[parameter]])),
  };
}

/** The gateway reads the engines' statistics every so many whole milliseconds. */
function refreshInterval({ statsIntervalMs }: Wanted): {
  readonly env: Setup["env"];
  readonly differences: readonly Difference[];
} {
  if (statsIntervalMs === null) return { env: [], differences: [] };
  if (Number.isInteger(statsIntervalMs) && statsIntervalMs >= 1) {
    return { env: [["AIBRIX_POD_METRIC_REFRESH_INTERVAL_MS", statsIntervalMs]], differences: [] };
  }
  const reason = "AIBRIX_POD_METRIC_REFRESH_INTERVAL_MS takes whole milliseconds";
  return {
    env: [],
    differences: [{ setting: "signals.stats_interval_ms", wanted: statsIntervalMs, instead: 50, reason }],
  };
}
