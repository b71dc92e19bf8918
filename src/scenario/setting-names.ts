import { nearestName } from "../values/nearest-name.js";
import { scenarioJsonSchema, settingPathsOf, type SchemaNode } from "./json-schema.js";
import { SHORT_NAMES } from "./overrides.js";
import type { SettingPath } from "./scenario-source.js";

let schema: SchemaNode | undefined;
let paths: readonly string[] | undefined;

/** Names of the fields that the block at `path` may have; empty where there is no such block. */
export function fieldsAt(path: SettingPath): readonly string[] {
  schema ??= scenarioJsonSchema();
  let node: SchemaNode | undefined = schema;
  for (const key of path) node = node?.properties?.[String(key)];
  return Object.keys(node?.properties ?? {});
}

/** Dotted paths of every single setting, in the order of the schema; blocks with free names end in `.*`. */
function settingPaths(): readonly string[] {
  schema ??= scenarioJsonSchema();
  paths ??= settingPathsOf(schema).filter((path) => !path.startsWith("sweep"));
  return paths;
}

/** True for a short name and for the path of a setting. */
export function isKnownSetting(name: string): boolean {
  if (Object.hasOwn(SHORT_NAMES, name)) return true;
  return settingPaths().some((path) =>
    path.endsWith(".*") ? name.startsWith(path.slice(0, -1)) : path === name,
  );
}

/**
 * The setting that a mistyped or bare `name` most likely means: a setting of that very last name, else the
 * nearest short name or dotted path; null when nothing is near.
 */
export function nearestSetting(name: string): string | null {
  const depth = (path: string): number => path.split(".").length;
  const known = settingPaths()
    .filter((path) => !path.endsWith(".*"))
    .toSorted((a, b) => depth(a) - depth(b));
  const last = name.slice(name.lastIndexOf(".") + 1);
  return (
    nearestName(name, [...Object.keys(SHORT_NAMES), ...known]) ??
    known.find((path) => path.endsWith(`.${last}`)) ??
    known.find((path) => nearestName(last, [path.slice(path.lastIndexOf(".") + 1)]) !== null) ??
    null
  );
}
