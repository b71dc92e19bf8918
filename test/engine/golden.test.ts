import { readdirSync } from "node:fs";
import { expect, it } from "vitest";
import { compareScenario } from "../../scripts/golden/compare.js";
import { readScenario, skipReason } from "../../scripts/golden/scenario.js";
import { describeWithSharedData, sharedData } from "../support/shared-data.js";

for (const version of ["v0.11", "v0.19", "main-2026-08"]) {
  const folder = `golden-schedules/${version}`;
  describeWithSharedData(`vLLM's own schedules, ${version}`, [folder], () => {
    const directory = sharedData(folder);
    for (const file of readdirSync(directory).filter((name) => name.endsWith(".json"))) {
      const scenario = readScenario(`${directory}/${file}`);
      it.skipIf(skipReason(scenario) !== null)(`${scenario.name} is reproduced exactly`, () => {
        expect(compareScenario(scenario)).toEqual([]);
      });
    }
  });
}
