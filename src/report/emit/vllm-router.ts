import type { ParameterValue } from "../../routing/parameters.js";
import type { Leg } from "../../routing/types.js";
import { differences, placeholders, type Emission, type EmitTarget, type Reasons } from "./emission.js";
import { choiceOf, settingsOfBlock, type Wanted } from "./wanted.js";

/** `--policy` of the Rust binary; the names are ours too. */
const POLICIES = [
  "random",
  "round_robin",
  "power_of_two",
  "cache_aware",
  "consistent_hash",
  "rendezvous_hash",
];

/** Flags of cache_aware, one value for both legs; thresholds are always written out, the rest when not at its default. */
const CACHE_AWARE_FLAGS = [
  { name: "cache_threshold", flag: "--cache-threshold", whole: false, always: true },
  { name: "balance_abs_threshold", flag: "--balance-abs-threshold", whole: true, always: true },
  { name: "balance_rel_threshold", flag: "--balance-rel-threshold", whole: false, always: true },
  { name: "max_tree_size", flag: "--max-tree-size", whole: true, always: false },
  { name: "eviction_interval_s", flag: "--eviction-interval", whole: true, always: false },
] as const;

const ONE_VALUE = "its flag is one value for both legs, and takes whole numbers where it counts";

const REASONS: Reasons = {
  "decider.": "with --vllm-pd-disaggregation every request is disaggregated; there is no threshold",
  prefill_policy: `--prefill-policy takes ${POLICIES.join(", ")}`,
  decode_policy: `--decode-policy takes ${POLICIES.join(", ")}`,
  "prefill.form": "its balance gate looks at the whole fleet, and a prefix goes to whoever stored it first",
  "prefill.balance_gate": "its balance gate looks at the whole fleet",
  "decode.balance_gate": "its balance gate looks at the whole fleet",
  "decode.form": "its balance gate looks at the whole fleet, and a prefix goes to whoever stored it first",
  "prefill.load_signal": "it adds polls of /get_load, which vLLM does not serve, to its own counters (#174)",
  "decode.load_signal": "it adds polls of /get_load, which vLLM does not serve, to its own counters (#174)",
  "prefill.keyless":
    "requests without a session header go by the whole request in PD mode, and chat all to one worker in regular mode",
  "decode.keyless":
    "requests without a session header go by the whole request in PD mode, and chat all to one worker in regular mode",
  "prefill.cache_threshold": ONE_VALUE,
  "prefill.balance_": ONE_VALUE,
  "prefill.max_tree_size": ONE_VALUE,
  "prefill.eviction_interval_s": ONE_VALUE,
  "decode.cache_threshold": ONE_VALUE,
  "decode.balance_": ONE_VALUE,
  "decode.max_tree_size": ONE_VALUE,
  "decode.eviction_interval_s": ONE_VALUE,
  order: "each leg is chosen by itself",
  without_prefill_worker: "without a healthy prefill worker requests fail with 503",
  "load_accounting.decode_opens": "decode load counts from dispatch",
  "load_accounting.decode_release": "decode load ends at the response headers (#200)",
  "load_accounting.leak_on_disconnect": "load of a client that goes away stays (#215)",
  "load_accounting.health_check_resets_load_s": "every tenth health check sets all load to 0 (#197)",
  "load_accounting.counted_only_for_cache_aware": "load is counted for cache_aware only",
  "load_accounting.double_decrement_on_retryable_status": "a retryable status takes load off twice",
};

/** vllm-project/router: flags after its `docs/cli_reference.md` (df71929b) and `main.rs` (03e9af5c). */
export const vllmRouter: EmitTarget = {
  name: "vllm-router",
  summary: "command line of vllm-project/router",
  emit(wanted: Wanted): Emission {
    const disaggregates = wanted.config.decider.name !== "never";
    const legs: readonly Leg[] = disaggregates ? ["prefill", "decode"] : ["decode"];
    const policies = policyFlags(wanted, legs);
    const parameters = cacheAwareFlags(wanted, legs);
    const { prefill, decode } = wanted.workers;
    const workers = disaggregates
      ? [
          ["--vllm-pd-disaggregation"],
          ...placeholders("prefill", prefill).map((url) => ["--prefill", url]),
          ...placeholders("decode", decode).map((url) => ["--decode", url]),
        ]
      : [["--worker-urls", ...placeholders("decode", decode)]];
    const product = settingsOfBlock({
      preset: disaggregates ? "vllm-router" : "vllm-router-regular",
      ...policies.block,
      ...parameters.block,
    });
    return {
      product: "vllm-router 0.1.14 (Rust)",
      form: {
        command: { program: ["vllm-router"], flags: [...workers, ...policies.flags, ...parameters.flags] },
      },
      differences: differences(wanted, product, REASONS),
      notes: notesOn(wanted, legs, parameters),
    };
  },
};

interface Part {
  readonly flags: readonly (readonly string[])[];
  /** The same in a `router` block. */
  readonly block: Readonly<Record<string, ParameterValue>>;
}

function policyFlags({ config }: Wanted, legs: readonly Leg[]): Part {
  const given = legs
    .map((leg) => ({ leg, policy: choiceOf(config, leg).name }))
    .filter(({ policy }) => POLICIES.includes(policy));
  const [first] = given;
  if (first === undefined) return { flags: [], block: {} };
  if (given.length === legs.length && given.every(({ policy }) => policy === first.policy)) {
    return { flags: [["--policy", first.policy]], block: { policy: first.policy } };
  }
  return {
    flags: given.map(({ leg, policy }) => [`--${leg}-policy`, policy]),
    block: Object.fromEntries(given.map(({ leg, policy }) => [`${leg}_policy`, policy])),
  };
}

function cacheAwareFlags({ config }: Wanted, legs: readonly Leg[]): Part {
  const owner = legs.map((leg) => choiceOf(config, leg)).find(({ name }) => name === "cache_aware");
  if (owner === undefined) return { flags: [], block: {} };
  const defaults = settingsOfBlock({ preset: "vllm-router" });
  const given = CACHE_AWARE_FLAGS.filter(({ name, whole, always }) => {
    const value = owner.params[name];
    if (whole && !Number.isInteger(value)) return false;
    return always || value !== defaults.get(`prefill.${name}`);
  });
  return {
    flags: given.map(({ name, flag }) => [flag, String(owner.params[name])]),
    block: Object.fromEntries(given.map(({ name }) => [name, owner.params[name]!])),
  };
}

function notesOn({ config }: Wanted, legs: readonly Leg[], { block }: Part): string[] {
  const names = legs.map((leg) => choiceOf(config, leg).name);
  return [
    ...("max_tree_size" in block ? ["it counts --max-tree-size in characters of the request"] : []),
    ...("eviction_interval_s" in block ? ["the Python package says --eviction-interval-secs"] : []),
    ...(names.includes("rendezvous_hash") ? ["the Python package does not have rendezvous_hash"] : []),
  ];
}
