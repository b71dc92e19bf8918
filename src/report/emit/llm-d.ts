import { stringify } from "yaml";
import type { ParameterValues } from "../../routing/parameters.js";
import { resolveRouterConfig } from "../../routing/router-config.js";
import type { Leg } from "../../routing/types.js";
import { differences, type Emission, type EmitTarget, type Reasons } from "./emission.js";
import { alwaysDisaggregates, choiceOf, settingsOfBlock, type Wanted } from "./wanted.js";

type Block = Record<string, unknown>;

/** Scorer plugins by the weight that is ours. */
const SCORERS: Readonly<Record<string, string>> = {
  queue_weight: "queue-scorer",
  kv_weight: "kv-cache-utilization-scorer",
  prefix_weight: "prefix-cache-scorer",
  running_weight: "running-requests-size-scorer",
  load_aware_weight: "load-aware-scorer",
  active_weight: "active-request-scorer",
  token_weight: "token-load-scorer",
  session_weight: "session-affinity-scorer",
  no_hit_lru_weight: "no-hit-lru-scorer",
};

const PICKERS: Readonly<Record<string, string>> = {
  max_score: "max-score-picker",
  weighted_random: "weighted-random-picker",
  random: "random-picker",
};

/** Blocks of the approximate index, tokens. */
const BLOCK_TOKENS = 16;
const DEFAULT_INDEX_BLOCKS = 31_250;
const DEFAULT_MATCHED_BLOCKS = 256;

const REASONS: Reasons = {
  "decider.":
    "it counts only prompt tokens that the decode worker does not hold; while nothing is held the rules agree",
  prefill_policy: "workers are chosen by weighted scores: weighted_scorers, in_flight or random",
  decode_policy: "workers are chosen by weighted scores: weighted_scorers, in_flight or random",
  "prefill.ties": "ties are random",
  "decode.ties": "ties are random",
  "prefill.max_prefix_units": "it looks up whole blocks of 16 tokens, one limit for both legs",
  "decode.max_prefix_units": "it looks up whole blocks of 16 tokens, one limit for both legs",
  "prefill.index_capacity": "it keeps whole blocks of 16 tokens, one limit for both legs",
  "decode.index_capacity": "it keeps whole blocks of 16 tokens, one limit for both legs",
  "prefill.speculative_s": "its speculative entries last 2 s",
  "decode.speculative_s": "its speculative entries last 2 s",
  order: "the decode worker is chosen first",
};

/** llm-d's inference scheduler: an `EndpointPickerConfig`, after the plugins' sources of August 2026. */
export const llmD: EmitTarget = {
  name: "llm-d",
  summary: "EndpointPickerConfig of llm-d's inference scheduler",
  emit(wanted: Wanted): Emission {
    const disaggregates = wanted.config.decider.name !== "never";
    const legs: readonly Leg[] = disaggregates ? ["prefill", "decode"] : ["decode"];
    const profiles = legs.map((leg) => profileOf(wanted, leg));
    const index = prefixIndex(wanted, legs);
    const decider = deciderOf(wanted);
    const scorers = [...new Set(profiles.flatMap(({ scorers }) => scorers.map(({ plugin }) => plugin)))];
    const pickers = [...new Set(profiles.map(({ picker }) => picker))];
    const config = {
      apiVersion: "inference.networking.x-k8s.io/v1alpha1",
      kind: "EndpointPickerConfig",
      plugins: [
        ...(disaggregates
          ? [{ type: "disagg-headers-handler" }, ...decider.plugins]
          : [{ type: "single-profile-handler" }]),
        ...legs.map((leg) => ({ type: `${leg}-filter` })),
        ...scorers.map((type) =>
          type.endsWith("prefix-cache-scorer") && index.parameters !== null
            ? { type, parameters: index.parameters }
            : { type },
        ),
        ...pickers.map((type) => ({ type })),
      ],
      schedulingProfiles: profiles.map(({ leg, scorers: own, picker }) => ({
        name: disaggregates ? leg : "default",
        plugins: [
          { pluginRef: `${leg}-filter` },
          ...own.map(({ plugin, weight }) => ({ pluginRef: plugin, weight })),
          { pluginRef: picker },
        ],
      })),
    };
    const ofLegs: Block = Object.fromEntries(
      profiles.flatMap(({ leg, policy, block }): [string, unknown][] => [
        [`${leg}_policy`, policy],
        [leg, { ...block, ...(policy === "weighted_scorers" && index.block) }],
      ]),
    );
    const product = settingsOfBlock({ preset: "llm-d", decider: decider.block, ...ofLegs });
    return {
      product: "llm-d inference scheduler (August 2026)",
      form: { yaml: stringify(config) },
      differences: differences(wanted, product, REASONS),
      notes: [
        "it estimates prompt tokens as bytes / 4, and reads statistics every 50 ms",
        ...(index.parameters === null
          ? []
          : ["newer releases take the prefix parameters at approx-prefix-cache-producer"]),
        ...(scorers.includes("precise-prefix-cache-scorer")
          ? ["precise-prefix-cache-scorer needs a tokenizer and the engines' KV event endpoints besides"]
          : []),
      ],
    };
  },
};

interface Profile {
  readonly leg: Leg;
  readonly scorers: readonly { readonly plugin: string; readonly weight: number }[];
  readonly picker: string;
  /** The same in our terms. */
  readonly policy: string;
  readonly block: Block;
}

function profileOf({ config }: Wanted, leg: Leg): Profile {
  const { name, params } = choiceOf(config, leg);
  if (name === "random") return { leg, scorers: [], picker: "random-picker", policy: name, block: {} };
  if (name === "in_flight" && params["load_unit"] === "requests") {
    const scorers = [{ plugin: "active-request-scorer", weight: 1 }];
    return { leg, scorers, picker: "max-score-picker", policy: name, block: { ties: "random" } };
  }
  if (name !== "weighted_scorers") {
    const defaults = choiceOf(weightedScorers(), leg).params;
    return { ...scored(leg, defaults), block: {} };
  }
  const precise = params["kv_index"] === "kv_events";
  const notGiven = precise ? ["speculative_s"] : ["speculative_s", "max_prefix_units", "index_capacity"];
  const block = Object.fromEntries(
    Object.entries(params).filter(([parameter]) => !notGiven.includes(parameter)),
  );
  return { ...scored(leg, params), block };
}

function weightedScorers(): Wanted["config"] {
  return resolveRouterConfig({ preset: "llm-d" }).config;
}

function scored(leg: Leg, params: ParameterValues): Omit<Profile, "block"> {
  const precise = params["kv_index"] === "kv_events";
  const scorers = Object.entries(SCORERS).flatMap(([name, plugin]) => {
    const weight = params[name] as number;
    if (weight === 0) return [];
    return [{ plugin: precise && name === "prefix_weight" ? "precise-prefix-cache-scorer" : plugin, weight }];
  });
  return { leg, scorers, picker: PICKERS[String(params["picker"])]!, policy: "weighted_scorers" };
}

/** One index serves both legs; what is not at its default goes to the scorer's parameters. */
function prefixIndex({ config }: Wanted, legs: readonly Leg[]): { parameters: Block | null; block: Block } {
  const owner = legs.map((leg) => choiceOf(config, leg)).find(({ name }) => name === "weighted_scorers");
  if (owner === undefined || owner.params["kv_index"] === "kv_events") return { parameters: null, block: {} };
  const matched = blocksOf(owner.params["max_prefix_units"]) ?? DEFAULT_MATCHED_BLOCKS;
  const kept = blocksOf(owner.params["index_capacity"]) ?? DEFAULT_INDEX_BLOCKS;
  const block = { max_prefix_units: matched * BLOCK_TOKENS, index_capacity: kept * BLOCK_TOKENS };
  if (matched === DEFAULT_MATCHED_BLOCKS && kept === DEFAULT_INDEX_BLOCKS) return { parameters: null, block };
  const parameters = {
    autoTune: false,
    blockSizeTokens: BLOCK_TOKENS,
    maxPrefixBlocksToMatch: matched,
    lruCapacityPerServer: kept,
  };
  return { parameters, block };
}

function blocksOf(tokens: unknown): number | null {
  return typeof tokens === "number" && tokens % BLOCK_TOKENS === 0 ? tokens / BLOCK_TOKENS : null;
}

function deciderOf({ config }: Wanted): { readonly plugins: readonly Block[]; readonly block: Block } {
  const { name, params } = config.decider;
  const handler = (decider: string): Block => ({
    type: "disagg-profile-handler",
    parameters: { prefillDeciderPluginName: decider },
  });
  const uncached = params["disaggregate_at_uncached_tokens"];
  const zeroIsNever = params["zero_means"] === "never";
  if (name === "never") return { plugins: [], block: { kind: "never" } };
  if (alwaysDisaggregates(config) || (uncached === 0 && !zeroIsNever)) {
    const plugins = [{ type: "always-disagg-pd-decider" }, handler("always-disagg-pd-decider")];
    // Zero uncached tokens is always: the same rule under its own name.
    const block = name === "uncached_tokens" ? { kind: name, ...params } : { kind: "always" };
    return { plugins, block };
  }
  const nearest = name === "threshold" ? params["routing_threshold"] : uncached;
  const tokens = typeof nearest === "number" ? nearest : 0;
  return {
    plugins: [
      { type: "prefix-based-pd-decider", parameters: { nonCachedTokens: tokens } },
      handler("prefix-based-pd-decider"),
    ],
    block: {
      kind: "uncached_tokens",
      disaggregate_at_uncached_tokens: tokens,
      zero_means: tokens === 0 ? "never" : name === "uncached_tokens" ? params["zero_means"] : "never",
    },
  };
}
