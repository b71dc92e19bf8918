import { InputError } from "../errors.js";
import { didYouMean } from "../values/nearest-name.js";
import type { EngineProfile } from "./profile.js";
import { BUILTIN_PROFILES } from "./profiles/registry.js";

/** The built-in profiles as `list profiles` shows them. */
export const PROFILES: readonly {
  readonly name: string;
  readonly summary: string;
  readonly source: string;
}[] = BUILTIN_PROFILES.map((profile) => ({
  name: profile.name,
  summary: `${profile.model.name} on ${profile.tp} x ${profile.hardware.name}; ${profile.validation}`,
  source: profile.source,
}));

/**
 * A built-in profile by name.
 * @throws InputError for an unknown name, with the nearest known one.
 */
export function builtinProfile(name: string): EngineProfile {
  const profile = BUILTIN_PROFILES.find((candidate) => candidate.name === name);
  if (profile !== undefined) return profile;
  const names = PROFILES.map((known) => known.name);
  throw new InputError(
    `unknown engine profile "${name}"${didYouMean(name, names)}: see "pdbench list profiles"`,
  );
}
