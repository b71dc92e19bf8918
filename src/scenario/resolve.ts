import { isAbsolute, resolve } from "node:path";
import { InputError } from "../errors.js";
import { resolveRouterConfig, type ResolvedRouter } from "../routing/router-config.js";
import { RouterSettingError } from "../routing/setting-error.js";
import { checkArrivals } from "../workload/arrivals.js";
import { checkGenerator, DEFAULT_REQUESTS } from "../workload/generate-workload.js";
import { applyOverrides, type Override } from "./overrides.js";
import { isProfileFile, profileProblem } from "./profiles.js";
import type { ScenarioSource, SettingPath, SettingTree } from "./scenario-source.js";
import { overrideOf, schemaError, settingError, valueAt, type Sources } from "./schema-errors.js";
import {
  scenarioSchema,
  type EngineSettings,
  type LegFleet,
  type ParsedScenario,
  type Scenario,
} from "./schema.js";
import { arrivalOptions } from "./workload-settings.js";

/** The profile of a fleet that names none. */
const DEFAULT_PROFILE = "llama-3.1-70b-h100-tp4-fp8";

/** A checked scenario and how its settings came about. */
export interface Resolution {
  readonly scenario: Scenario;
  readonly router: ResolvedRouter;
  /** The file's settings with the overrides applied, before defaults. */
  readonly given: SettingTree;
  readonly sources: Sources;
}

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
  workingDirectory?: string,
): Scenario {
  return resolveWithOrigins(source, overrides, workingDirectory).scenario;
}

/** As `resolveScenario`, with what is needed to tell where each setting comes from. */
export function resolveWithOrigins(
  source: ScenarioSource,
  overrides: readonly Override[] = [],
  workingDirectory: string = process.cwd(),
): Resolution {
  const placed = overrides.map((override) =>
    placePath(override, override.at === undefined ? workingDirectory : source.directory),
  );
  const sources = { source, overrides: placed };
  const given = applyOverrides(anchorPaths(source), placed);
  quoteVersions(given);
  const parsed = scenarioSchema.safeParse(given, { reportInput: true });
  if (!parsed.success) throw schemaError(parsed.error, given, sources);
  const router = resolveRouter(parsed.data.router, sources);
  const workload = resolveWorkload(parsed.data.workload, sources);
  const scenario = finish({ ...parsed.data, workload }, router);
  checkFleet(scenario, router, given, sources);
  return { scenario, router, given, sources };
}

/** Engine settings in force on the workers of a leg. */
export function engineSettings(scenario: Scenario, leg: "prefill" | "decode"): EngineSettings {
  const { engine, kv_blocks } = scenario.fleet[leg];
  const given = Object.fromEntries(Object.entries(engine).filter(([, value]) => value !== undefined));
  const settings = withScheduling({ ...scenario.engine, ...given });
  return { ...settings, num_gpu_blocks: kv_blocks ?? settings.num_gpu_blocks };
}

/** vLLM schedules asynchronously by default since c2ff33cc8c (2025-12-29). */
function withScheduling(engine: EngineSettings): EngineSettings {
  return { ...engine, async_scheduling: engine.async_scheduling ?? engine.vllm_version !== "0.11" };
}

function finish(parsed: ParsedScenario, router: ResolvedRouter): Scenario {
  const { fleet, name, engine, network, workload, signals, slo, seed, timeline_interval_ms } = parsed;
  const { mock_engines } = parsed;
  const prefillProfile = fleet.prefill.profile ?? fleet.profile ?? fleet.decode.profile ?? DEFAULT_PROFILE;
  const decodeProfile = fleet.decode.profile ?? fleet.profile ?? prefillProfile;
  return {
    name,
    fleet: {
      prefill: legOf(fleet.prefill, prefillProfile),
      decode: legOf(fleet.decode, decodeProfile),
    },
    engine,
    network,
    workload,
    router: routerInForce(router),
    signals,
    slo,
    seed,
    timeline_interval_ms,
    ...(mock_engines !== undefined && { mock_engines }),
  };
}

/** Always in the same order, so that equal scenarios are written alike. */
function legOf({ workers, engine, kv_blocks }: ParsedScenario["fleet"]["decode"], profile: string): LegFleet {
  return { workers, profile, engine, ...(kv_blocks !== undefined && { kv_blocks }) };
}

/** The `router` block with everything in force in it and nothing else. */
function routerInForce({ settings }: ResolvedRouter): SettingTree {
  const tree: SettingTree = {};
  for (const { path, value } of settings) {
    const keys = path.split(".");
    let block = tree;
    for (const key of keys.slice(0, -1)) block = (block[key] ??= {}) as SettingTree;
    block[keys.at(-1)!] = value;
  }
  return tree;
}

function resolveRouter(settings: SettingTree, sources: Sources): ResolvedRouter {
  try {
    return resolveRouterConfig(settings);
  } catch (error) {
    if (!(error instanceof RouterSettingError)) throw error;
    throw placedError(["router", ...error.path], error.reason, sources);
  }
}

const PROFILE_PATHS = [
  ["fleet", "profile"],
  ["fleet", "prefill", "profile"],
  ["fleet", "decode", "profile"],
] as const;

function checkFleet(scenario: Scenario, router: ResolvedRouter, given: SettingTree, sources: Sources): void {
  for (const leg of ["prefill", "decode"] as const) {
    const { profile } = scenario.fleet[leg];
    const problem = profileProblem(profile);
    if (problem === null) continue;
    const path = PROFILE_PATHS.find((candidate) => valueAt(given, candidate) === profile)!;
    throw settingError(path, profile, problem, sources);
  }
  const decider = router.config.decider.name;
  if (scenario.fleet.prefill.workers === 0 && decider !== "never") {
    const expected = `at least 1 with decider "${decider}" (0 only with "never")`;
    throw settingError(["fleet", "prefill", "workers"], 0, expected, sources);
  }
}

/** Checks how the requests come about, and fills in the defaults of a generator. */
function resolveWorkload(workload: Scenario["workload"], sources: Sources): Scenario["workload"] {
  const { trace, generate, requests } = workload;
  if (trace !== null && generate !== null) {
    throw placedError(["workload", "generate"], "expected a trace or a generator, not both", sources);
  }
  rethrowPlaced(sources, () => checkArrivals(arrivalOptions(workload)));
  if (generate === null) return workload;
  const { kind, ...given } = generate;
  const parameters = rethrowPlaced(sources, () => checkGenerator(kind, given));
  return { ...workload, requests: requests ?? DEFAULT_REQUESTS, generate: { kind, ...parameters } };
}

/** Runs a check of the workload room and puts the place of the setting before its message. */
function rethrowPlaced<T>(sources: Sources, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const place = /^(?:workload|(generate)(?:\.(\w+))?): /.exec(error.message);
    const path = place === null ? ["generate", "kind"] : place.slice(1);
    const problem = error.message.slice(place?.[0].length ?? 0);
    throw placedError(["workload", ...path.filter((key) => Boolean(key))], problem, sources);
  }
}

/** An error at the flag or the place in the file that gave `path`. */
function placedError(path: SettingPath, problem: string, { source, overrides }: Sources): InputError {
  const override = overrideOf(path, overrides);
  const pointAt = /no such setting|unknown parameter/.test(problem) ? "key" : "value";
  if (override === undefined) return source.errorAt(path, problem, pointAt);
  return override.at === undefined
    ? new InputError(`${override.source}: ${problem}`)
    : source.errorAt(override.at, problem);
}

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

function placePath(override: Override, directory: string): Override {
  const { setting, value } = override;
  const isTrace = setting === "trace" || setting === "workload.trace";
  const isProfile = setting === "profile" || /^fleet\.(.*\.)?profile$/.test(setting);
  if (typeof value !== "string" || value === "") return override;
  if (isTrace || (isProfile && isProfileFile(value))) {
    return { ...override, value: absolute(value, directory) };
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
