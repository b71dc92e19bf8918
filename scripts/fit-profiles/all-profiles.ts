import type { EngineProfile } from "../../src/engine/profile.js";
import { aiconfiguratorProfiles } from "./aiconfigurator.js";
import { distserveProfiles } from "./distserve.js";
import { splitwiseProfiles } from "./splitwise.js";
import { vllmGridProfiles, mixedContextRatio } from "./vllm-grid.js";

/** Every built-in profile, fitted to the files of `folder` (../shared/data/step-times). */
export function fitAllProfiles(folder: string): EngineProfile[] {
  const ratio = mixedContextRatio(folder);
  return [
    ...vllmGridProfiles(folder),
    ...aiconfiguratorProfiles(folder, ratio),
    ...splitwiseProfiles(folder, ratio),
    ...distserveProfiles(folder, ratio),
  ];
}
