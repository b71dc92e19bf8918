import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { InputError } from "../errors.js";
import { packageVersion } from "../package-info.js";
import { isProfileFile } from "../scenario/profiles.js";
import type { Scenario } from "../scenario/schema.js";
import { settingsOf } from "../scenario/to-yaml.js";
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
}

/** @throws InputError when a trace cannot be read */
export async function fingerprintOf({ base, axes, seeds, points }: SweepPlan): Promise<SweepFingerprint> {
  const scenarios = [base, ...points.map(({ scenario }) => scenario)];
  return {
    pdbench: packageVersion(),
    workload_hash: await workloadHash(scenarios),
    profiles_hash: profilesHash(scenarios),
    scenario: settingsOf(base),
    axes,
    seeds,
  };
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

function profilesHash(scenarios: readonly Scenario[]): string | null {
  const profiles = scenarios.flatMap(({ fleet }) => [fleet.prefill.profile, fleet.decode.profile]);
  const files = [...new Set(profiles)].filter(isProfileFile);
  return files.length === 0 ? null : textHash(files.map((file) => readFileSync(file, "utf8")).join("\n"));
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

function show(value: unknown): string {
  return value === undefined ? "not set" : JSON.stringify(value);
}
