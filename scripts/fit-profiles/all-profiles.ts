import type { EngineProfile } from "../../src/engine/profile.js";
import { aiconfiguratorProfiles } from "./aiconfigurator.js";
import { distserveProfiles } from "./distserve.js";
import { splitwiseProfiles } from "./splitwise.js";
import { vllmGridProfiles, mixedContextRatio } from "./vllm-grid.js";

/** Every built-in profile, fitted to the files of `folder` (../shared/data/step-times) and held against ../vllm-runs. */
export async function fitAllProfiles(folder: string): Promise<EngineProfile[]> {
  const ratio = mixedContextRatio(folder);
  return [
    ...(await vllmGridProfiles(folder)),
    ...aiconfiguratorProfiles(folder, ratio),
    ...splitwiseProfiles(folder, ratio),
    ...distserveProfiles(folder, ratio),
  ];
}
