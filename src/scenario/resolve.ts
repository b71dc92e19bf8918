import { isAbsolute, resolve } from "node:path";
import { applyOverrides, type Override } from "./overrides.js";
import type { ScenarioSource, SettingTree } from "./scenario-source.js";
import { schemaError, valueAt } from "./schema-errors.js";
import { scenarioSchema, type EngineSettings, type ParsedScenario, type Scenario } from "./schema.js";

/** The profile of a fleet that names none. */
export const DEFAULT_PROFILE = "llama-3.1-70b-h100-tp4-fp8";

/**
 * Checks a scenario with `overrides` applied and fills in every default.
 *
 * Relative paths of the file resolve against its folder, those of overrides against `workingDirectory`.
 *
 * @throws InputError naming file, line, field, value and what was expected, or the flag for an override.
 */
export function resolveScenario(
  source: ScenarioSource,
  overrides: readonly Override[] = [],
  workingDirectory: string = process.cwd(),
): Scenario {
  const placed = overrides.map((override) =>
    placePath(override, override.at === undefined ? workingDirectory : source.directory),
  );
  const tree = applyOverrides(anchorPaths(source), placed);
  quoteVersions(tree);
  const parsed = scenarioSchema.safeParse(tree, { reportInput: true });
  if (!parsed.success) throw schemaError(parsed.error, tree, { source, overrides: placed });
  return finish(parsed.data);
}

function finish(parsed: ParsedScenario): Scenario {
  const { fleet, name, engine, network, workload, router, signals, slo, seed, timeline_interval_ms } = parsed;
  const prefillProfile = fleet.prefill.profile ?? fleet.profile ?? fleet.decode.profile ?? DEFAULT_PROFILE;
  const decodeProfile = fleet.decode.profile ?? fleet.profile ?? prefillProfile;
  return {
    name,
    fleet: {
      prefill: { ...fleet.prefill, profile: prefillProfile },
      decode: { ...fleet.decode, profile: decodeProfile },
    },
    engine,
    network,
    workload,
    router,
    signals,
    slo,
    seed,
    timeline_interval_ms,
  };
}

/** Engine settings in force on the workers of a leg. */
export function engineSettings(scenario: Scenario, leg: "prefill" | "decode"): EngineSettings {
  const { engine, kv_blocks } = scenario.fleet[leg];
  const given = Object.fromEntries(Object.entries(engine).filter(([, value]) => value !== undefined));
  const settings: EngineSettings = { ...scenario.engine, ...given };
  return kv_blocks === undefined ? settings : { ...settings, num_gpu_blocks: kv_blocks };
}

/** True where a profile is a file rather than a built-in name. */
export function isProfileFile(profile: string): boolean {
  return /[/\\]|\.ya?ml$/.test(profile);
}

const PROFILE_PATHS = [
  ["fleet", "profile"],
  ["fleet", "prefill", "profile"],
  ["fleet", "decode", "profile"],
];

/** The tree of the file with its own paths made absolute. */
function anchorPaths(source: ScenarioSource): SettingTree {
  const tree = structuredClone(source.tree);
  for (const path of [["workload", "trace"], ...PROFILE_PATHS]) {
    const value = valueAt(tree, path);
    if (typeof value !== "string" || value === "") continue;
    if (path[0] === "fleet" && !isProfileFile(value)) continue;
    const block = valueAt(tree, path.slice(0, -1)) as SettingTree;
    block[path.at(-1)!] = absolute(value, source.directory);
  }
  return tree;
}

function placePath(override: Override, workingDirectory: string): Override {
  const { setting, value } = override;
  const isTrace = setting === "trace" || setting === "workload.trace";
  const isProfile = setting === "profile" || /^fleet\.(.*\.)?profile$/.test(setting);
  if (typeof value !== "string" || value === "") return override;
  if (isTrace || (isProfile && isProfileFile(value))) {
    return { ...override, value: absolute(value, workingDirectory) };
  }
  return override;
}

function absolute(path: string, directory: string): string {
  return isAbsolute(path) ? path : resolve(directory, path);
}

/** YAML reads an unquoted `vllm_version: 0.19` as a number. */
function quoteVersions(tree: SettingTree): void {
  for (const path of [["engine"], ["fleet", "prefill", "engine"], ["fleet", "decode", "engine"]]) {
    const engine = valueAt(tree, path) as SettingTree | null | undefined;
    const version = engine?.["vllm_version"];
    if (typeof version === "number") engine!["vllm_version"] = String(version);
  }
}
