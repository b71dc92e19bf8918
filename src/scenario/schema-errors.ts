import type { z } from "zod";
import { InputError } from "../errors.js";
import { didYouMean } from "../values/nearest-name.js";
import { pathsOf, type Override } from "./overrides.js";
import type { ScenarioSource, SettingPath, SettingTree } from "./scenario-source.js";
import { fieldsAt, nearestSetting } from "./setting-names.js";

/** What an error about a setting needs to say where the setting came from. */
export interface Sources {
  readonly source: ScenarioSource;
  readonly overrides: readonly Override[];
}

/** The error for the first of the schema's complaints about `tree`. */
export function schemaError(error: z.ZodError, tree: SettingTree, sources: Sources): InputError {
  const issue = error.issues[0]!;
  const path = issue.path as SettingPath;
  if (issue.code === "unrecognized_keys") return unknownField([...path, issue.keys[0]!], sources);
  return settingError(path, valueAt(tree, path), expectation(issue), sources);
}

/** An error about the value of a setting, placed at the flag or the line of the file that gave it. */
export function settingError(
  path: SettingPath,
  value: unknown,
  expected: string,
  { source, overrides }: Sources,
): InputError {
  const shown = value === undefined ? "missing" : showValue(value);
  const override = overrideOf(path, overrides);
  const problem = `${shown}: expected ${expected}`;
  if (override === undefined) return source.errorAt(path, problem);
  return override.at
    ? source.errorAt(override.at, problem)
    : new InputError(`${override.source}: ${problem}`);
}

/** The last override that set `path`, or the block it is in. */
export function overrideOf(path: SettingPath, overrides: readonly Override[]): Override | undefined {
  return overrides.findLast((override) => pathsOf(override.setting).some((given) => isWithin(path, given)));
}

function unknownField(path: SettingPath, { source, overrides }: Sources): InputError {
  const name = String(path.at(-1));
  const override = overrideOf(path, overrides);
  if (override !== undefined) {
    const nearest = nearestSetting(path.join("."));
    const hint = nearest === null ? "" : `, did you mean "${nearest}"?`;
    const problem = `no setting ${path.join(".")}${hint}`;
    return override.at
      ? source.errorAt(override.at, problem, "key")
      : new InputError(`${override.source}: ${problem}`);
  }
  const known = fieldsAt(path.slice(0, -1));
  const hint = didYouMean(name, known) || `, expected one of ${known.join(", ")}`;
  return source.errorAt(path, `unknown field${hint}`, "key");
}

function expectation(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_value") {
    const names = issue.values.map(String);
    const wrong = typeof issue.input === "string" ? didYouMean(issue.input, names) : "";
    return `one of ${names.join(", ")}${wrong}`;
  }
  if (issue.code === "invalid_type" && issue.expected === "object") return "a block of settings";
  return issue.message;
}

/** A value as it is quoted in an error. */
export function showValue(value: unknown): string {
  const shown = typeof value === "string" ? `"${value}"` : JSON.stringify(value);
  return shown.length > 60 ? `${shown.slice(0, 57)}...` : shown;
}

export function valueAt(tree: unknown, path: SettingPath): unknown {
  let value = tree;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}

function isWithin(path: SettingPath, block: SettingPath): boolean {
  return block.length <= path.length && block.every((key, index) => String(path[index]) === String(key));
}
