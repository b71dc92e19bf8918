import { beforeAll, expect, it } from "vitest";
import { fitAllProfiles } from "../../scripts/fit-profiles/all-profiles.js";
import { assembleProfile } from "../../src/engine/assemble-profile.js";
import type { EngineProfile } from "../../src/engine/profile.js";
import { BUILTIN_PROFILES } from "../../src/engine/profiles/registry.js";
import { describeWithSharedData, sharedData } from "../support/shared-data.js";

describeWithSharedData("the built-in profiles", ["step-times", "vllm-runs"], () => {
  const fitted = new Map<string, EngineProfile>();

  beforeAll(async () => {
    for (const profile of await fitAllProfiles(sharedData("step-times")))
      fitted.set(profile.name, assembleProfile(profile));
  });

  it("are what scripts/fit-profiles.ts makes of the measurements, no more and no fewer", () => {
    expect(BUILTIN_PROFILES.map((profile) => profile.name)).toEqual([...fitted.keys()]);
  });

  it.each(BUILTIN_PROFILES.map((profile) => [profile.name, profile] as const))("%s", (name, profile) => {
    expect(profile).toEqual(fitted.get(name));
  });
});
