import { z } from "zod";
import { nearestName } from "../values/nearest-name.js";
import { SHORT_NAMES } from "./overrides.js";
import type { SettingPath } from "./scenario-source.js";
import { scenarioSchema } from "./schema.js";

/** The part of a JSON Schema that lists the fields of a block. */
interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly anyOf?: readonly SchemaNode[];
  readonly additionalProperties?: boolean | SchemaNode;
}

let root: SchemaNode | undefined;

function schemaRoot(): SchemaNode {
  root ??= z.toJSONSchema(scenarioSchema, { io: "input" }) as SchemaNode;
  return root;
}

/** Names of the fields that the block at `path` may have; empty where there is no such block. */
export function fieldsAt(path: SettingPath): readonly string[] {
  let node: SchemaNode | undefined = schemaRoot();
  for (const key of path) node = blockOf(node)?.properties?.[String(key)];
  return Object.keys(blockOf(node)?.properties ?? {});
}

function blockOf(node: SchemaNode | undefined): SchemaNode | undefined {
  return node?.anyOf?.find((option) => option.properties !== undefined) ?? node;
}

/** Dotted paths of every single setting, in the order of the schema. Open blocks end in `.*`. */
export function settingPaths(): readonly string[] {
  const paths: string[] = [];
  const collect = (node: SchemaNode, prefix: string): void => {
    const block = blockOf(node);
    for (const [name, field] of Object.entries(block?.properties ?? {})) collect(field, `${prefix}.${name}`);
    const isOpen = typeof block?.additionalProperties === "object";
    if (isOpen) paths.push(`${prefix.slice(1)}.*`);
    else if (block?.properties === undefined) paths.push(prefix.slice(1));
  };
  collect(schemaRoot(), "");
  return paths;
}

/** True for a short name, a path of the schema, or a path into an open block (checked by its owner). */
export function isKnownSetting(name: string): boolean {
  if (Object.hasOwn(SHORT_NAMES, name)) return true;
  return settingPaths().some((path) =>
    path.endsWith(".*") ? name.startsWith(path.slice(0, -1)) && !name.startsWith("sweep.") : path === name,
  );
}

/**
 * The setting that a mistyped or bare `name` most likely means: a setting of that very last name, else the
 * nearest short name or dotted path; null when nothing is near.
 */
export function nearestSetting(name: string): string | null {
  const depth = (path: string): number => path.split(".").length;
  const paths = settingPaths()
    .filter((path) => !path.endsWith(".*"))
    .sort((a, b) => depth(a) - depth(b));
  const last = name.slice(name.lastIndexOf(".") + 1);
  const shortNames = Object.keys(SHORT_NAMES);
  return (
    nearestName(name, [...shortNames, ...paths]) ??
    paths.find((path) => path.endsWith(`.${last}`)) ??
    paths.find((path) => nearestName(last, [path.slice(path.lastIndexOf(".") + 1)]) !== null) ??
    null
  );
}
