import { createHash } from "node:crypto";
import { createReadStream, readFileSync, statSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { InputError } from "../errors.js";
import type { Provenance } from "../measure/summary.js";
import { packageVersion } from "../package-info.js";
import { isProfileFile, loadProfile, type ProfileTexts } from "../scenario/profiles.js";
import type { Scenario } from "../scenario/schema.js";
import { settingsOf } from "../scenario/to-yaml.js";
import type { RawTrace } from "../workload/raw-trace.js";
import { loadTrace, traceKey } from "./load-trace.js";
import type { SweepPlan } from "./plan.js";
import type { SweepAxis } from "./sweep-result.js";

/** All that the results of a sweep depend on: runs of equal fingerprints belong together. */
export interface SweepFingerprint {
  readonly pdbench: string;
  readonly workload_hash: string;
  /** SHA-256 of the profile files in use; null = built-in profiles only. */
  readonly profiles_hash: string | null;
  readonly scenario: Scenario;
  readonly axes: readonly SweepAxis[];
  readonly seeds: readonly number[];
  /** Runs end when their attainment can no longer reach this share; absent = none does. */
  readonly stop_below?: number;
}

/** What a sweep is, and the files it reads. */
export interface SweepIdentity {
  readonly fingerprint: SweepFingerprint;
  readonly profiles: ProfileTexts;
  /** By `traceKey`, in memory that threads share. */
  readonly traces: ReadonlyMap<string, RawTrace>;
}

/**
 * @param stopBelow see `SweepTask`
 * @throws InputError when a trace or a profile cannot be read
 */
export async function identify(plan: SweepPlan, stopBelow: number | null): Promise<SweepIdentity> {
  const scenarios = plan.points.map(({ scenario }) => scenario);
  const profiles = profileTexts([plan.base, ...scenarios]);
  const fingerprint = await fingerprintOf(plan, profiles, stopBelow);
  return { fingerprint, profiles, traces: await sharedTraces(scenarios) };
}

/** Reads every trace file once, into memory that the threads share. */
async function sharedTraces(scenarios: readonly Scenario[]): Promise<Map<string, RawTrace>> {
  const traces = new Map<string, RawTrace>();
  for (const scenario of scenarios) {
    const name = traceName(scenario);
    if (name !== null && !traces.has(name)) traces.set(name, await loadTrace(scenario, true));
  }
  return traces;
}

/** The name of the trace among those of `identify`; null where the requests are generated. */
export function traceName(scenario: Scenario): string | null {
  return scenario.workload.generate === null ? traceKey(scenario) : null;
}

async function fingerprintOf(
  { base, axes, seeds, points }: SweepPlan,
  profiles: ProfileTexts,
  stopBelow: number | null,
): Promise<SweepFingerprint> {
  const scenarios = [base, ...points.map(({ scenario }) => scenario)];
  return {
    pdbench: packageVersion(),
    workload_hash: await workloadHash(scenarios),
    profiles_hash: profilesHash(profiles),
    scenario: settingsOf(base),
    axes,
    seeds,
    ...(stopBelow !== null && { stop_below: stopBelow }),
  };
}

/** Where a run of the scenario comes from; a pipe can be read once only, so it has no hash. */
export async function provenanceOf(scenario: Scenario): Promise<Provenance> {
  const { trace } = scenario.workload;
  const versions = { pdbench: packageVersion() };
  if (trace !== null && !statSync(trace).isFile()) return { versions };
  return { versions, workload_hash: await workloadHash([scenario]) };
}

/** SHA-256 of the trace file or of the generator's settings; of all of them where an axis varies them. */
async function workloadHash(scenarios: readonly Scenario[]): Promise<string> {
  const traces = new Set(scenarios.flatMap(({ workload: { trace } }) => trace ?? []));
  const generators = new Set(
    scenarios.flatMap(({ workload: { generate, requests } }) =>
      generate === null ? [] : JSON.stringify({ generate, requests }),
    ),
  );
  const hashes = await Promise.all([...traces].map(fileHash));
  const all = [...hashes, ...[...generators].map(textHash)];
  return all.length === 1 ? all[0]! : textHash(all.join("\n"));
}

function profilesHash(profiles: ProfileTexts): string | null {
  const texts = Object.values(profiles);
  return texts.length === 0 ? null : textHash(texts.join("\n"));
}

/**
 * Texts of the profile files that scenarios use, each read once.
 *
 * @throws InputError for a file that is not a profile
 */
function profileTexts(scenarios: readonly Scenario[]): ProfileTexts {
  const profiles = scenarios.flatMap(({ fleet }) => [fleet.prefill.profile, fleet.decode.profile]);
  const files = [...new Set(profiles)].filter(isProfileFile);
  const texts = Object.fromEntries(files.map((file) => [file, readFileSync(file, "utf8")]));
  for (const file of files) loadProfile(file, texts);
  return texts;
}

/** Identifies a sweep by all that its results depend on. */
export function studyOf(fingerprint: SweepFingerprint): string {
  return textHash(JSON.stringify(fingerprint)).slice(0, 32);
}

async function fileHash(file: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(isMissing ? `${file}: no such file` : `${file}: cannot be read: ${reason}`);
  }
  return hash.digest("hex");
}

function textHash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** What differs between two sweeps, in words; empty where nothing does. */
export function differences(there: SweepFingerprint, here: SweepFingerprint): string[] {
  const found: string[] = [];
  const compare = (name: string, before: unknown, now: unknown): void => {
    if (isDeepStrictEqual(before, now)) return;
    found.push(`${name} is ${show(before)} there and ${show(now)} here`);
  };
  compare("the version of pdbench", there.pdbench, here.pdbench);
  compare("seeds", there.seeds, here.seeds);
  compare("--stop-below", there.stop_below, here.stop_below);
  const names = new Set([...there.axes, ...here.axes].map(({ setting }) => setting));
  for (const name of names) compare(`axis ${name}`, valuesOf(there, name), valuesOf(here, name));
  const before = leavesOf(there.scenario);
  const now = leavesOf(here.scenario);
  for (const path of new Set([...before.keys(), ...now.keys()])) {
    if (!names.has(path)) compare(path, before.get(path), now.get(path));
  }
  if (there.workload_hash !== here.workload_hash) found.push("the content of the workload differs");
  if (there.profiles_hash !== here.profiles_hash) found.push("the content of a profile file differs");
  if (found.length === 0 && !isDeepStrictEqual(there.axes, here.axes))
    found.push("the order of the axes differs");
  return found;
}

function valuesOf({ axes }: SweepFingerprint, name: string): unknown {
  return axes.find(({ setting }) => setting === name)?.values;
}

/** The single settings of a tree by dotted path. */
export function leavesOf(tree: unknown, prefix = ""): Map<string, unknown> {
  if (typeof tree !== "object" || tree === null || Array.isArray(tree)) return new Map([[prefix, tree]]);
  return new Map(
    Object.entries(tree).flatMap(([key, value]) => [
      ...leavesOf(value, prefix === "" ? key : `${prefix}.${key}`),
    ]),
  );
}

/** A setting in a message. */
export function show(value: unknown): string {
  return value === undefined ? "not set" : JSON.stringify(value);
}
