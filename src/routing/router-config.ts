import { didYouMean } from "../values/nearest-name.js";
import { LOAD_ACCOUNTING, type LoadAccounting } from "./load-accounting.js";
import {
  accepts,
  parseParameter,
  quote,
  type ParameterSpec,
  type ParameterValue,
  type ParameterValues,
} from "./parameters.js";
import type { Preset } from "./presets/preset.js";
import { DECIDERS, deciderNamed, POLICIES, policyNamed, PRESETS } from "./registry.js";
import {
  checkNames,
  layerOf,
  named,
  place,
  type Block,
  type Layer,
  type NamePlace,
  type Place,
  type SettingOrigin,
} from "./router-block.js";
import { ROUTER_PARAMETERS, type ChoiceOrder, type RouterParameters } from "./router-parameters.js";
import { RouterSettingError } from "./setting-error.js";
import { usesKvEvents, usesStats } from "./signals-used.js";
import { withoutEffect } from "./without-effect.js";
import type { Leg } from "./types.js";

/** A decider or policy by name, with all of its parameters. */
export interface Choice {
  readonly name: string;
  readonly params: ParameterValues;
}

/** Everything a router needs to be made; plain data, so it can go to a worker thread. */
export interface RouterConfig {
  readonly decider: Choice;
  readonly prefillPolicy: Choice;
  readonly decodePolicy: Choice;
  readonly order: ChoiceOrder;
  readonly pairing: RouterParameters["pairing"];
  readonly indexUpdate: RouterParameters["index_update"];
  readonly withoutPrefillWorker: RouterParameters["without_prefill_worker"];
  readonly sessionKeyReaches: RouterParameters["session_key_reaches"];
  /** For the driver: see `createRouter`. */
  readonly routerReplicas: number;
  /** For the driver: the router itself does not look at it. */
  readonly prefillOutput: RouterParameters["prefill_output"];
  readonly loadAccounting: LoadAccounting;
}

/** A setting in force and where it comes from. `path` is dotted, relative to the `router` block. */
export interface SettingInForce {
  readonly path: string;
  readonly value: ParameterValue;
  readonly origin: SettingOrigin;
}

export interface ResolvedRouter {
  readonly config: RouterConfig;
  /** Every setting in force, in a fixed order. */
  readonly settings: readonly SettingInForce[];
  /** How often the preset's product polls its engines, ms; null = no preset, or one that does not. */
  readonly statsIntervalMs: number | null;
  /** Signals of the engines that decisions go by. */
  readonly uses: { readonly stats: boolean; readonly kvEvents: boolean };
  /** Dotted paths of settings that are valid but that nothing chosen looks at, e.g. `cache_threshold`. */
  readonly unused: readonly string[];
  /** Settings of the scenario that other settings leave without effect, and why. */
  readonly withoutEffect: readonly { readonly path: string; readonly because: string }[];
}

const DEFAULT_DECIDER = "threshold";
const DEFAULT_POLICY: Readonly<Record<Leg, string>> = { prefill: "cache_aware", decode: "in_flight" };
/**
 * Reads the `router` block of a scenario: snake_case settings as users write them.
 *
 * ```yaml
 * preset: vllm-router
 * decider: { kind: threshold, routing_threshold: 4096 }     # or a name
 * policy: cache_aware                                       # both legs
 * prefill_policy: cache_aware
 * decode_policy: in_flight
 * cache_threshold: 0.3                                      # any parameter of the chosen decider or policies
 * prefill: { cache_threshold: 0.5 }                         # one leg's
 * decode: {}
 * order: independent                                        # ROUTER_PARAMETERS
 * load_accounting: { decode_release: headers }              # LOAD_ACCOUNTING
 * ```
 *
 * What is not given comes from the preset, then from the defaults.
 *
 * @throws RouterSettingError for an unknown name or a value out of range.
 */
export function resolveRouterConfig(settings: Block = {}): ResolvedRouter {
  return new Resolution(settings).resolve();
}

class Resolution {
  private readonly scenario: Layer;
  private readonly preset: Preset | null;
  /** Most specific first. */
  private readonly layers: readonly Layer[];
  private readonly inForce: SettingInForce[] = [];
  private readonly used = new Set<string>();

  constructor(settings: Block) {
    this.scenario = layerOf(settings, "scenario");
    checkNames(this.scenario);
    this.preset = presetOf(settings["preset"]);
    this.layers =
      this.preset === null
        ? [this.scenario]
        : [this.scenario, layerOf(this.preset.settings, "preset", this.preset.parameters)];
  }

  resolve(): ResolvedRouter {
    const origin = this.scenario.top["preset"] == null ? "default" : "scenario";
    this.inForce.push({ path: "preset", value: this.preset?.name ?? null, origin });
    const decider = this.decider();
    const prefillPolicy = this.policy("prefill");
    const decodePolicy = this.policy("decode");
    const router = this.parameters(ROUTER_PARAMETERS, [], (layer) => [
      place(layer, layer.top, []),
    ]) as RouterParameters;
    const loadAccounting = this.parameters(LOAD_ACCOUNTING, ["load_accounting"], (layer) => [
      place(layer, layer.loadAccounting, ["load_accounting"]),
    ]) as LoadAccounting;
    const config = {
      decider,
      prefillPolicy,
      decodePolicy,
      order: router.order,
      pairing: router.pairing,
      indexUpdate: router.index_update,
      withoutPrefillWorker: router.without_prefill_worker,
      sessionKeyReaches: router.session_key_reaches,
      routerReplicas: router.router_replicas,
      prefillOutput: router.prefill_output,
      loadAccounting,
    };
    checkOrder(config);
    return {
      config,
      settings: this.inForce,
      statsIntervalMs: this.preset?.statsIntervalMs ?? null,
      uses: { stats: usesStats(config), kvEvents: usesKvEvents(config) },
      unused: this.unused(),
      withoutEffect: withoutEffect(this.scenario, config),
    };
  }

  private decider(): Choice {
    const name = this.name(["decider", "kind"], DEFAULT_DECIDER, DECIDERS, (layer) => [
      named(layer, layer.decider, ["decider"], "kind"),
    ]);
    const params = this.parameters(deciderNamed(name).parameters, ["decider"], (layer) => [
      place(layer, layer.decider, ["decider"]),
      place(layer, layer.top, []),
      place(layer, layer.named[name] ?? {}, []),
    ]);
    return { name, params };
  }

  private policy(leg: Leg): Choice {
    const key = `${leg}_policy`;
    const name = this.name([key], DEFAULT_POLICY[leg], POLICIES, (layer) => [
      named(layer, layer.top, [], key),
      named(layer, layer.top, [], "policy"),
    ]);
    const params = this.parameters(policyNamed(name).parameters, [leg], (layer) => {
      const isItsOwn = layer.origin === "scenario" || (layer.top[key] ?? layer.top["policy"]) === name;
      return [
        place(layer, isItsOwn ? layer[leg] : {}, [leg]),
        place(layer, layer.top, []),
        place(layer, layer.named[name] ?? {}, []),
      ];
    });
    return { name, params };
  }

  /** A name of `known`, from the first place that gives one. */
  private name(
    path: readonly string[],
    initial: string,
    known: readonly { readonly name: string }[],
    places: (layer: Layer) => readonly NamePlace[],
  ): string {
    for (const { block, path: at, key, origin } of this.layers.flatMap(places)) {
      const value = block[key];
      if (value === undefined) continue;
      const name = checkedName([...at, key], value, known);
      this.inForce.push({ path: path.join("."), value: name, origin });
      return name;
    }
    this.inForce.push({ path: path.join("."), value: initial, origin: "default" });
    return initial;
  }

  /** A value for each of `specs`, each from the first place that gives one. */
  private parameters(
    specs: readonly ParameterSpec[],
    path: readonly string[],
    places: (layer: Layer) => readonly Place[],
  ): Record<string, ParameterValue> {
    const values: Record<string, ParameterValue> = {};
    const all = this.layers.flatMap(places);
    for (const spec of specs) {
      const given = all.find(({ block }) => block[spec.name] !== undefined);
      const value =
        given === undefined
          ? spec.default
          : parseParameter(spec, given.block[spec.name], [...given.path, spec.name]);
      for (const { path: at } of all) this.used.add([...at, spec.name].join("."));
      values[spec.name] = value;
      this.inForce.push({
        path: [...path, spec.name].join("."),
        value,
        origin: given?.origin ?? "default",
      });
    }
    return values;
  }

  /** Parameters that the scenario gives and nothing chosen has; their values are checked all the same. */
  private unused(): string[] {
    const { top, decider, prefill, decode } = this.scenario;
    const unused: string[] = [];
    const blocks: readonly (readonly [Block, readonly string[]])[] = [
      [top, []],
      [decider, ["decider"]],
      [prefill, ["prefill"]],
      [decode, ["decode"]],
    ];
    for (const [block, path] of blocks) {
      for (const [name, value] of Object.entries(block)) {
        const dotted = [...path, name].join(".");
        const specs = parametersNamed(name);
        if (value === undefined || specs.length === 0 || this.used.has(dotted)) continue;
        const spec = specs.find((candidate) => accepts(candidate, value)) ?? specs[0]!;
        parseParameter(spec, value, [...path, name]);
        unused.push(dotted);
      }
    }
    return unused;
  }
}

/** @throws RouterSettingError when both legs are to be chosen by costs that a policy does not give. */
function checkOrder({ order, prefillPolicy, decodePolicy }: RouterConfig): void {
  if (order !== "joint") return;
  for (const { name } of [prefillPolicy, decodePolicy]) {
    if (policyNamed(name).givesCosts) continue;
    const able = POLICIES.filter(({ givesCosts }) => givesCosts).map((policy) => policy.name);
    throw new RouterSettingError(
      ["order"],
      `"joint" needs policies that give costs (${able.join(", ")}), and ${name} does not`,
    );
  }
}

function presetOf(value: unknown): Preset | null {
  if (value === undefined || value === null) return null;
  const name = checkedName(["preset"], value, PRESETS);
  return PRESETS.find((preset) => preset.name === name)!;
}

function checkedName(
  path: readonly string[],
  value: unknown,
  known: readonly { readonly name: string }[],
): string {
  const names = known.map(({ name }) => name);
  if (typeof value === "string" && names.includes(value)) return value;
  const hint = typeof value === "string" ? didYouMean(value, names) : "";
  throw new RouterSettingError(
    path,
    `${quote(value)} is not known${hint || `, expected one of ${names.join(", ")}`}`,
  );
}

/** The parameters of this name that deciders and policies have. */
function parametersNamed(name: string): readonly ParameterSpec[] {
  return [...DECIDERS, ...POLICIES]
    .flatMap(({ parameters }) => parameters)
    .filter((parameter) => parameter.name === name);
}
