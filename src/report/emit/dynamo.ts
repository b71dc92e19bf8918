import type { ParameterValues } from "../../routing/parameters.js";
import type { Leg } from "../../routing/types.js";
import { differences, type Emission, type EmitTarget, type Reasons } from "./emission.js";
import { choiceOf, settingsOfBlock, type Wanted } from "./wanted.js";

/** `--router-mode` by the policy it stands for; `kv` is the one with a cost. */
const MODES: Readonly<Record<string, string>> = {
  round_robin: "round-robin",
  random: "random",
  power_of_two: "power-of-two",
  in_flight: "least-loaded",
  dynamo_kv: "kv",
};

const CONDITIONS: Readonly<Record<string, string>> = {
  effective_length: "isl_bounding",
  prefill_busy: "prefill_load",
  length_or_load: "isl_or_load",
};

/** Flags of the KV cost, by parameter. */
const COST_FLAGS: Readonly<Record<string, string>> = {
  overlap_score_credit: "--router-kv-overlap-score-credit",
  overlap_credit_decay: "--router-kv-overlap-score-credit-decay",
  prefill_load_scale: "--router-prefill-load-scale",
  router_temperature: "--router-temperature",
  index_ttl_s: "--router-ttl-secs",
};

const CONDITION_FLAGS: Readonly<Record<string, string>> = {
  eff_isl_threshold: "--router-conditional-disagg-eff-isl-threshold",
  eff_isl_ratio_threshold: "--router-conditional-disagg-eff-isl-ratio-threshold",
  prefill_busy_threshold: "--router-conditional-disagg-prefill-busy-threshold",
  decode_busy_threshold: "--router-conditional-disagg-decode-busy-threshold",
};

const ONE_MODE = "one --router-mode for both legs: round-robin, random, power-of-two, least-loaded or kv";
const ONE_VALUE = "one value for the router; decode workers get no overlap credit";

const REASONS: Reasons = {
  "decider.":
    "--router-conditional-disagg bypasses prefill workers only where part of the prompt is held, never by length alone",
  "decider.eff_isl_ratio_threshold": "it must be from 0 to 1",
  prefill_policy: ONE_MODE,
  decode_policy: ONE_MODE,
  "prefill.ties": "ties are random",
  "decode.ties": "ties are random",
  "prefill.load_unit": "least-loaded counts requests",
  "decode.load_unit": "least-loaded counts requests",
  "prefill.": ONE_VALUE,
  "decode.": ONE_VALUE,
  order: "the decode worker is chosen first",
};

/** NVIDIA Dynamo's frontend: `kv_router_args.py` and the frontend reference of 1.4. */
export const dynamo: EmitTarget = {
  name: "dynamo",
  summary: "command line of NVIDIA Dynamo's frontend",
  emit(wanted: Wanted): Emission {
    const mode = modeFor(wanted);
    const isKv = mode.policy === "dynamo_kv";
    const cost = isKv ? costFlags(wanted) : { flags: [], block: {}, events: false };
    const condition = conditionFlags(wanted, isKv);
    const product = settingsOfBlock({
      ...(isKv ? { preset: "dynamo", ...cost.block } : { policy: mode.policy, order: "decode_first" }),
      decider: condition.block,
    });
    return {
      product: "NVIDIA Dynamo 1.4",
      form: {
        command: {
          program: ["python", "-m", "dynamo.frontend"],
          flags: [["--router-mode", mode.mode], ...cost.flags, ...condition.flags],
        },
      },
      differences: differences(wanted, product, REASONS),
      notes: [
        wanted.config.decider.name === "never"
          ? "register workers that prefill and decode, and no prefill workers"
          : "PD routing begins by itself when prefill workers register",
        ...(cost.events ? ["workers must publish KV events"] : []),
        ...(condition.flags.length > 0
          ? ["vLLM decode workers need --enable-conditional-disagg, which makes them publish KV events"]
          : []),
      ],
    };
  },
};

function modeFor({ config }: Wanted): { readonly mode: string; readonly policy: string } {
  const legs: readonly Leg[] = config.decider.name === "never" ? ["decode"] : ["prefill", "decode"];
  const known = legs.map((leg) => choiceOf(config, leg).name).filter((name) => MODES[name] !== undefined);
  const conditional = CONDITIONS[config.decider.name] !== undefined;
  // Conditional disaggregation is a part of the kv mode.
  const policy = conditional ? "dynamo_kv" : (known[0] ?? "dynamo_kv");
  return { mode: MODES[policy]!, policy };
}

/** The cost is given once; the prefill leg's counts, since decode workers get part of it only. */
function costFlags({ config }: Wanted): {
  readonly flags: string[][];
  readonly block: Record<string, unknown>;
  readonly events: boolean;
} {
  const legs: readonly Leg[] = config.decider.name === "never" ? ["decode"] : ["prefill", "decode"];
  const owner = legs.map((leg) => choiceOf(config, leg)).find(({ name }) => name === "dynamo_kv");
  const params: ParameterValues = owner?.params ?? {};
  const credit = params["overlap_score_credit"];
  const given = Object.entries(COST_FLAGS).filter(
    ([name]) =>
      params[name] !== undefined &&
      !(name === "overlap_score_credit" && typeof credit === "number" && credit > 1) &&
      !(name === "index_ttl_s" && params["kv_index"] === "kv_events"),
  );
  const events = params["kv_index"] === "kv_events";
  const shared = Object.fromEntries(
    given.filter(([name]) => name !== "overlap_score_credit").map(([name]) => [name, params[name]]),
  );
  return {
    flags: [
      ...given.map(([name, flag]) => [flag, String(params[name])]),
      [events ? "--router-kv-events" : "--no-router-kv-events"],
    ],
    block: {
      ...shared,
      kv_index: events ? "kv_events" : "routing",
      prefill: {
        track_decode_blocks: false,
        ...(given.some(([name]) => name === "overlap_score_credit") && { overlap_score_credit: credit }),
      },
    },
    events,
  };
}

function conditionFlags(
  { config }: Wanted,
  isKv: boolean,
): { readonly flags: string[][]; readonly block: Record<string, unknown> } {
  const { name, params } = config.decider;
  if (name === "never") return { flags: [], block: { kind: "never" } };
  const policy = CONDITIONS[name];
  if (policy === undefined || !isKv) return { flags: [], block: { kind: "always" } };
  const given = Object.entries(CONDITION_FLAGS).filter(([parameter]) => {
    const value = params[parameter];
    if (value === undefined || value === null) return false;
    return parameter !== "eff_isl_ratio_threshold" || (value as number) <= 1;
  });
  return {
    flags: [
      ["--router-conditional-disagg"],
      ["--router-conditional-disagg-policy", policy],
      ...given.map(([parameter, flag]) => [flag, String(params[parameter])]),
    ],
    block: { kind: name, ...Object.fromEntries(given.map(([parameter]) => [parameter, params[parameter]])) },
  };
}
