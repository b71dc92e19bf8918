import { didYouMean } from "../values/nearest-name.js";
import { LOAD_ACCOUNTING } from "./load-accounting.js";
import { quote } from "./parameters.js";
import { DECIDERS, POLICIES } from "./registry.js";
import { ROUTER_PARAMETERS } from "./router-parameters.js";
import { RouterSettingError } from "./setting-error.js";

export type SettingOrigin = "default" | "preset" | "scenario";

/** Settings as a user writes them. */
export type Block = Readonly<Record<string, unknown>>;

/** What one source of settings says: the scenario or the preset. */
export interface Layer {
  readonly origin: "preset" | "scenario";
  readonly top: Block;
  readonly decider: Block;
  readonly prefill: Block;
  readonly decode: Block;
  readonly loadAccounting: Block;
  /** Parameters of policies and deciders by name; presets only. */
  readonly named: Readonly<Record<string, Block>>;
}

/** Where a parameter may be set. */
export interface Place {
  readonly block: Block;
  readonly path: readonly string[];
  readonly origin: SettingOrigin;
}

/** Where the name of a decider or policy may be set. */
export interface NamePlace extends Place {
  readonly key: string;
}

const BLOCKS = ["decider", "prefill", "decode", "load_accounting"];
const CHOICES = ["preset", "policy", "prefill_policy", "decode_policy"];

/** Names of everything that may stand in the `router` block. */
function routerSettingNames(): readonly string[] {
  return [
    ...CHOICES,
    ...BLOCKS,
    ...ROUTER_PARAMETERS.map(({ name }) => name),
    ...new Set([...DECIDERS, ...POLICIES].flatMap(({ parameters }) => parameters.map(({ name }) => name))),
  ];
}

export function place({ origin }: Layer, block: Block, path: readonly string[]): Place {
  return { block, path, origin };
}

export function named({ origin }: Layer, block: Block, path: readonly string[], key: string): NamePlace {
  return { block, path, origin, key };
}

/** @throws RouterSettingError where a block is something else. */
export function layerOf(
  settings: Block,
  origin: "preset" | "scenario",
  byName: Readonly<Record<string, Block>> = {},
): Layer {
  const decider = settings["decider"];
  return {
    origin,
    top: settings,
    decider: typeof decider === "string" ? { kind: decider } : blockOf(settings, "decider"),
    prefill: blockOf(settings, "prefill"),
    decode: blockOf(settings, "decode"),
    loadAccounting: blockOf(settings, "load_accounting"),
    named: byName,
  };
}

function blockOf(settings: Block, name: string): Block {
  const value = settings[name] ?? {};
  if (typeof value === "object" && !Array.isArray(value)) return value as Block;
  throw new RouterSettingError([name], `${quote(value)} is not valid, expected a block of settings`);
}

/** @throws RouterSettingError for a setting that does not exist. */
export function checkNames({ top, decider, prefill, decode, loadAccounting }: Layer): void {
  const ofDeciders = DECIDERS.flatMap(({ parameters }) => parameters.map(({ name }) => name));
  const ofPolicies = POLICIES.flatMap(({ parameters }) => parameters.map(({ name }) => name));
  checkBlock(top, [], routerSettingNames());
  checkBlock(decider, ["decider"], ["kind", ...ofDeciders]);
  checkBlock(prefill, ["prefill"], ofPolicies);
  checkBlock(decode, ["decode"], ofPolicies);
  checkBlock(
    loadAccounting,
    ["load_accounting"],
    LOAD_ACCOUNTING.map(({ name }) => name),
  );
}

function checkBlock(block: Block, path: readonly string[], known: readonly string[]): void {
  for (const name of Object.keys(block)) {
    if (known.includes(name)) continue;
    throw new RouterSettingError([...path, name], `there is no such setting${didYouMean(name, known)}`);
  }
}
