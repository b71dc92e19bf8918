import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { InputError } from "../errors.js";
import type { Summary } from "../measure/summary.js";
import type { OptimizeResult } from "../sweep/search/optimize.js";
import type { SweepPoint, SweepResult } from "../sweep/sweep-result.js";
import { didYouMean } from "../values/nearest-name.js";
import { RUN_AXIS } from "./setting-words.js";

/** What a directory holds: a sweep, or one run. */
export type Results =
  | {
      readonly kind: "sweep";
      readonly directory: string;
      readonly name: string;
      readonly sweep: SweepResult;
      /** Where it is what a search ended with. */
      readonly search: OptimizeResult | null;
    }
  | { readonly kind: "run"; readonly directory: string; readonly name: string; readonly summary: Summary };

/**
 * Reads `sweep.json`, with `optimize.json` where a search wrote it, or `summary.json` of a directory.
 * @throws InputError when there is neither, or it is not what it should be
 */
export async function readResults(directory: string): Promise<Results> {
  const name = basename(resolve(directory));
  if (existsSync(join(directory, "sweep.json"))) {
    const sweep = await readJson<SweepResult>(join(directory, "sweep.json"), "pdbench/sweep@1");
    const path = join(directory, "optimize.json");
    const search = existsSync(path) ? await readJson<OptimizeResult>(path, "pdbench/optimize@1") : null;
    return { kind: "sweep", directory, name, sweep, search };
  }
  if (existsSync(join(directory, "summary.json"))) {
    const summary = await readJson<Summary>(join(directory, "summary.json"), "pdbench/summary@1");
    return { kind: "run", directory, name, summary };
  }
  const problem = existsSync(directory) ? "has neither sweep.json nor summary.json" : "no such directory";
  throw new InputError(`${directory}: ${problem}; expected the --out directory of a sweep or a run`);
}

/**
 * Several results as one comparison: a point per run, and per point of each sweep. Runs stand under the seed
 * they were made with, so that runs of equal seed are compared in pairs.
 * @throws InputError when two directories have the same name
 */
export function compareResults(all: readonly Results[]): SweepResult {
  const [only] = all;
  if (all.length === 1 && only?.kind === "sweep") return only.sweep;
  const names = checkNames(all);
  const points = all.flatMap(pointsOf).map((point, index) => ({ ...point, index }));
  const settings = [...new Set(points.flatMap((point) => Object.keys(point.settings)))];
  return {
    schema: "pdbench/sweep@1",
    name: names.join(" and "),
    versions: { pdbench: versionsOf(all).join(", ") },
    workload_hash: hashesOf(all).join(", "),
    axes: settings.map((setting) => ({
      setting,
      values: [...new Set(points.map((point) => point.settings[setting] ?? null))],
    })),
    seeds: [...new Set(points.flatMap((point) => point.runs.map(({ seed }) => seed)))].sort((a, b) => a - b),
    scenario: Object.fromEntries(all.map((one) => [one.name, scenarioOf(one)])),
    points,
    notes: [...all.flatMap(notesOf), ...warningsFor(all)],
  };
}

/**
 * The names of results.
 * @throws InputError when two are the same
 */
export function checkNames(all: readonly Results[]): readonly string[] {
  const names = all.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return names;
  throw new InputError(
    `two directories are called ${twice}: rename one, so that the report can tell them apart`,
  );
}

async function readJson<T extends { readonly schema: string }>(
  path: string,
  schema: T["schema"],
): Promise<T> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw new InputError(`${path}: not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const found = (value as { schema?: unknown } | null)?.schema;
  if (found !== schema) {
    const hint = typeof found === "string" ? didYouMean(found, [schema]) : "";
    const got = found === undefined ? "has no schema" : `schema ${JSON.stringify(found)}`;
    throw new InputError(`${path}: ${got}, expected ${JSON.stringify(schema)} as pdbench writes it${hint}`);
  }
  return value as T;
}

function pointsOf(results: Results): readonly SweepPoint[] {
  if (results.kind === "run") {
    const run = { seed: seedOf(results.summary), summary: results.summary, error: null };
    return [{ index: 0, settings: { [RUN_AXIS]: results.name }, runs: [run] }];
  }
  return results.sweep.points.map((point) => ({
    ...point,
    settings: { [RUN_AXIS]: results.name, ...point.settings },
  }));
}

function seedOf({ settings }: Summary): number {
  const seed = (settings as { seed?: unknown } | null)?.seed;
  return typeof seed === "number" ? seed : 1;
}

function versionsOf(all: readonly Results[]): readonly string[] {
  return [...new Set(all.flatMap((one) => (one.kind === "sweep" ? [one.sweep.versions.pdbench] : [])))];
}

function hashesOf(all: readonly Results[]): readonly string[] {
  return [...new Set(all.flatMap((one) => (one.kind === "sweep" ? [one.sweep.workload_hash] : [])))];
}

function scenarioOf(results: Results): unknown {
  return results.kind === "sweep" ? results.sweep.scenario : results.summary.settings;
}

function notesOf(results: Results): readonly string[] {
  const notes = results.kind === "sweep" ? results.sweep.notes : results.summary.notes;
  return notes.map((note) => `${results.name}: ${note}`);
}

/** Why figures of these results may not be comparable. */
function warningsFor(all: readonly Results[]): readonly string[] {
  const totals = new Set(all.map((one) => firstSummary(one)?.requests.total));
  const objectives = new Set(all.map((one) => JSON.stringify(firstSummary(one)?.goodput.slo)));
  const checks: readonly (readonly [boolean, string])[] = [
    [hashesOf(all).length > 1, "the workloads differ, so differences are not those of settings alone"],
    [versionsOf(all).length > 1, "the results are from different versions of pdbench"],
    [totals.size > 1, "the runs have different numbers of requests"],
    [objectives.size > 1, "the runs were judged by different objectives"],
  ];
  return checks.flatMap(([applies, warning]) =>
    applies ? [`Not comparable as they stand: ${warning}.`] : [],
  );
}

function firstSummary(results: Results): Summary | undefined {
  if (results.kind === "run") return results.summary;
  return (
    results.sweep.points.flatMap((point) => point.runs).find(({ summary }) => summary !== null)?.summary ??
    undefined
  );
}
