import { ASSUMED_MIXED_RATIO } from "../../src/engine/assemble-profile.js";
import type { ProfileInShort } from "../../src/engine/assemble-profile.js";
import { aiconfiguratorProfiles } from "./aiconfigurator.js";
import { distserveProfiles } from "./distserve.js";
import { splitwiseProfiles } from "./splitwise.js";
import { mixedContextRatio, vllmGridProfiles } from "./vllm-grid.js";

/**
 * Every built-in profile in order of name, fitted to the files of `folder` (../shared/data/step-times) and held
 * against ../vllm-runs.
 */
export async function fitAllProfiles(folder: string): Promise<ProfileInShort[]> {
  const ratio = mixedContextRatio(folder);
  if (ratio !== ASSUMED_MIXED_RATIO) {
    throw new Error(`ASSUMED_MIXED_RATIO is ${ASSUMED_MIXED_RATIO}, the grids say ${ratio}`);
  }
  const profiles = [
    ...(await vllmGridProfiles(folder)),
    ...aiconfiguratorProfiles(folder),
    ...splitwiseProfiles(folder),
    ...distserveProfiles(folder),
  ];
  return profiles.sort((a, b) => (a.name < b.name ? -1 : 1));
}
