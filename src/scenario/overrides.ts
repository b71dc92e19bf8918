import { parse } from "yaml";
import { InputError } from "../errors.js";
import type { SettingPath, SettingTree } from "./scenario-source.js";

/**
 * A setting given outside the scenario file: by a flag, by `--set`, or by an axis of a sweep. It wins over the
 * file.
 */
export interface Override {
  /** Dotted path or short name, e.g. `engine.max_num_seqs` or `policy`. */
  readonly setting: string;
  readonly value: unknown;
  /** How the user wrote it, for messages: `--policy`, `--set engine.max_num_seqs`, `sweep.policy`. */
  readonly source: string;
  /** Where the scenario file itself gives the value, for an axis of its `sweep` block. */
  readonly at?: SettingPath;
}

/** Settings that have a flag of their own, by the flag's name in snake_case, and where they go. */
export const SHORT_NAMES = {
  policy: ["router.prefill_policy", "router.decode_policy"],
  prefill_policy: ["router.prefill_policy"],
  decode_policy: ["router.decode_policy"],
  preset: ["router.preset"],
  decider: ["router.decider.kind"],
  routing_threshold: ["router.decider.routing_threshold"],
  cache_threshold: ["router.cache_threshold"],
  balance_abs_threshold: ["router.balance_abs_threshold"],
  balance_rel_threshold: ["router.balance_rel_threshold"],
  prefill_workers: ["fleet.prefill.workers"],
  decode_workers: ["fleet.decode.workers"],
  profile: ["fleet.prefill.profile", "fleet.decode.profile"],
  trace: ["workload.trace"],
  trace_format: ["workload.format"],
  requests: ["workload.requests"],
  rate: ["workload.rate"],
  speedup: ["workload.speedup"],
  seed: ["seed"],
} as const satisfies Record<string, readonly string[]>;

export type ShortName = keyof typeof SHORT_NAMES;

/** The paths a setting's name stands for. */
export function pathsOf(setting: string): readonly SettingPath[] {
  const paths = Object.hasOwn(SHORT_NAMES, setting) ? SHORT_NAMES[setting as ShortName] : [setting];
  return paths.map(keysOf);
}

const GENERATOR = "workload.generate.";

/** The keys of a dotted path. Parameters of a generator may have dots of their own (`best_of_n.samples`). */
function keysOf(path: string): SettingPath {
  if (path.startsWith(GENERATOR)) return ["workload", "generate", path.slice(GENERATOR.length)];
  return path.split(".");
}

/**
 * `path.to.setting=value` of a `--set` flag; the value is read as YAML, so that numbers, `true`, `null`, lists
 * and `{...}` come out as such.
 */
export function parseSetFlag(argument: string): { setting: string; text: string } {
  const equals = argument.indexOf("=");
  if (equals < 1) {
    throw new InputError(`--set ${argument}: expected path.to.setting=value, e.g. engine.max_num_seqs=128`);
  }
  return { setting: argument.slice(0, equals).trim(), text: argument.slice(equals + 1) };
}

/** The value a user typed on the command line. */
export function parseValue(text: string, source: string): unknown {
  try {
    return parse(text) as unknown;
  } catch {
    throw new InputError(`${source}: ${JSON.stringify(text)}: expected a YAML value`);
  }
}

/** A copy of `tree` with the overrides in it, later ones over earlier ones. */
export function applyOverrides(tree: SettingTree, overrides: readonly Override[]): SettingTree {
  const copy = structuredClone(tree);
  const router = copy["router"] as SettingTree | null | undefined;
  if (typeof router?.["decider"] === "string") router["decider"] = { kind: router["decider"] };
  // A preset is a whole router: what the file says of the router belongs to another one.
  if (overrides.some(({ setting, value }) => isPreset(setting) && value !== null)) copy["router"] = {};
  const given = new Set(overrides.flatMap(({ setting }) => pathsOf(setting)).map((path) => path.join(".")));
  for (const override of overrides) {
    for (const path of pathsOf(override.setting)) {
      for (const displaced of displacedBy(path))
        if (!given.has(displaced)) remove(copy, displaced.split("."));
      put(copy, path, override);
    }
  }
  return copy;
}

function isPreset(setting: string): boolean {
  return pathsOf(setting)[0]!.join(".") === SHORT_NAMES.preset[0];
}

/** Settings of the file that contradict an override, or would win over it, by the path of the override. */
const DISPLACED: Readonly<Record<string, readonly string[]>> = {
  "workload.trace": ["workload.generate"],
  "workload.generate": ["workload.trace", "workload.format"],
  "workload.rate": ["workload.speedup", "workload.concurrency"],
  "workload.speedup": ["workload.rate", "workload.arrival", "workload.cv", "workload.concurrency"],
  "workload.concurrency": ["workload.rate", "workload.arrival", "workload.cv", "workload.speedup"],
  "workload.arrival": ["workload.cv"],
  "engine.num_gpu_blocks": ["fleet.prefill.kv_blocks", "fleet.decode.kv_blocks"],
};

function displacedBy(path: SettingPath): readonly string[] {
  const [block, name] = path;
  if (path.length !== 2) return [];
  if (block === "router") return ["decider", "prefill", "decode"].map((part) => `router.${part}.${name!}`);
  const ofLegs = ["prefill", "decode"].map((leg) => `fleet.${leg}.engine.${name!}`);
  return [...(block === "engine" ? ofLegs : []), ...(DISPLACED[path.join(".")] ?? [])];
}

function remove(tree: SettingTree, path: SettingPath): void {
  let block: unknown = tree;
  for (const key of path.slice(0, -1)) {
    if (typeof block !== "object" || block === null) return;
    block = (block as SettingTree)[key];
  }
  if (typeof block === "object" && block !== null) Reflect.deleteProperty(block, path.at(-1)!);
}

function put(tree: SettingTree, path: SettingPath, override: Override): void {
  let block = tree;
  for (const key of path.slice(0, -1)) {
    const next = Object.hasOwn(block, key) ? (block[key] ?? {}) : {};
    if (typeof next !== "object" || Array.isArray(next)) {
      throw new InputError(`${override.source}: ${path.join(".")}: ${key} is not a block of settings`);
    }
    block[key] = next;
    block = next as SettingTree;
  }
  block[path.at(-1)!] = structuredClone(override.value);
}
