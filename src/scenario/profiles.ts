import { existsSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import { builtinProfile, PROFILES } from "../engine/builtin-profile.js";
import { parseProfile, type EngineProfile } from "../engine/profile.js";
import { InputError } from "../errors.js";
import { didYouMean } from "../values/nearest-name.js";

/** True where a profile is given as a file rather than by a built-in name. */
export function isProfileFile(profile: string): boolean {
  return /[/\\]|\.ya?ml$/.test(profile);
}

/** What is wrong with the name of a profile, as the end of "expected ...", or null. */
export function profileProblem(profile: string): string | null {
  if (isProfileFile(profile)) return existsSync(profile) ? null : "a profile file that exists";
  const names = PROFILES.map(({ name }) => name);
  if (names.includes(profile)) return null;
  return `a built-in profile (pdbench list profiles) or a YAML file${didYouMean(profile, names)}`;
}

/** Texts of profile files by their paths, where files are not read where they are used. */
export type ProfileTexts = Readonly<Record<string, string>>;

/**
 * A profile by built-in name or file.
 *
 * @param texts of files that were read elsewhere
 * @throws InputError when there is none of that name, or the file is not a profile
 */
export function loadProfile(profile: string, texts: ProfileTexts = {}): EngineProfile {
  if (!isProfileFile(profile)) return builtinProfile(profile);
  let tree: unknown;
  try {
    tree = parse(texts[profile] ?? readFileSync(profile, "utf8"));
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0]! : String(error);
    throw new InputError(`${profile}: cannot be read as a YAML profile: ${reason}`);
  }
  return parseProfile(tree, profile);
}
