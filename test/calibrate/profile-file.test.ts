import { describe, expect, it } from "vitest";
import { calibrationPage } from "../../src/calibrate/calibration-page.js";
import { fitGrid } from "../../src/calibrate/fit-grid.js";
import { loadProfile, profileYaml } from "../../src/calibrate/profile-file.js";
import { BUILTIN_PROFILES } from "../../src/engine/profiles/registry.js";
import { InputError } from "../../src/errors.js";
import { gridOf, linearProfile } from "./builders.js";
import { folderWith } from "./files.js";

function file(text: string): string {
  return `${folderWith({ "profile.yaml": text })}/profile.yaml`;
}

describe("loadProfile", () => {
  it("reads back every profile that profileYaml writes", () => {
    for (const profile of BUILTIN_PROFILES) expect(loadProfile(file(profileYaml(profile)))).toEqual(profile);
  });

  it("takes the name of a built-in profile", () => {
    expect(loadProfile("qwen3-32b-h100-tp2-bf16").model.name).toBe("Qwen3-32B");
  });

  it.each([
    ["broken YAML", "name: [", /profile\.yaml:1: /],
    ["a wrong value", profileYaml(linearProfile()).replace("tp: 1", "tp: 0"), /profile\.yaml: tp: /],
    ["a missing part", "name: x", /profile\.yaml: model: /],
  ])("names file and field of %s", (_, text, message) => {
    expect(() => loadProfile(file(text))).toThrow(InputError);
    expect(() => loadProfile(file(text))).toThrow(message);
  });

  it("names a file that is not there and the nearest built-in name", () => {
    expect(() => loadProfile("nowhere.yaml")).toThrow(/^nowhere\.yaml: cannot be read/);
    expect(() => loadProfile("qwen3-32b-h100-tp2-bf1")).toThrow(/did you mean "qwen3-32b-h100-tp2-bf16"/);
  });
});

describe("profileYaml", () => {
  it("keeps a table on one line", () => {
    const { step_time } = fitGrid(
      gridOf(linearProfile(), [256, 512], [0, 64], [1, 8], [512, 1024]),
      "grid.csv",
    );
    const lines = profileYaml(linearProfile({ step_time })).split("\n");
    expect(lines).toContain("    sequences: [ 1, 8 ]");
    expect(lines.filter((line) => /^ +ms: \[.*\]$/.test(line))).toHaveLength(3);
  });
});

describe("calibrationPage", () => {
  it("shows residuals and warnings and asks nothing of the network", async () => {
    const fit = fitGrid(gridOf(linearProfile(), [256, 512, 1024], [0], [1, 8, 16], [512, 1024]), "grid.csv");
    const page = await calibrationPage({ profile: linearProfile(), ...fit });
    expect(page).toContain("what it costs cannot be told from the grid");
    expect(page).toContain('id="residuals"');
    expect(page).not.toMatch(/<(script|link)[^>]+(src|href)="https?:/);
  });
});
