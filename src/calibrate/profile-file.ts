import { readFileSync } from "node:fs";
import { Document, isScalar, parseDocument, visit } from "yaml";
import { InputError } from "../errors.js";
import { builtinProfile } from "../engine/builtin-profile.js";
import { parseProfile } from "../engine/profile.js";
import type { EngineProfile } from "../engine/profile.js";

/**
 * A profile by file name (`.yaml`, `.yml`, `.json`) or by the name of a built-in one.
 * @throws InputError naming the file and line or field, or the nearest built-in name.
 */
export function loadProfile(nameOrFile: string): EngineProfile {
  if (!/\.(ya?ml|json)$/.test(nameOrFile)) return builtinProfile(nameOrFile);
  let text: string;
  try {
    text = readFileSync(nameOrFile, "utf8");
  } catch {
    throw new InputError(`${nameOrFile}: cannot be read, expected a profile (YAML)`);
  }
  const document = parseDocument(text);
  const error = document.errors[0];
  if (error !== undefined) {
    const line = error.linePos?.[0].line ?? 1;
    throw new InputError(`${nameOrFile}:${line}: ${error.message.split("\n")[0]!}`);
  }
  return parseProfile(document.toJS(), nameOrFile);
}

/** A profile as YAML; lists of numbers take one line, however long. */
export function profileYaml(profile: EngineProfile): string {
  const document = new Document(profile);
  visit(document, {
    Seq: (_, node) => {
      if (node.items.every((item) => isScalar(item))) node.flow = true;
    },
  });
  return document.toString({ lineWidth: 0 });
}
