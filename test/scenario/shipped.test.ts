import { readFileSync } from "node:fs";
import { format, resolveConfig } from "prettier";
import { describe, expect, it } from "vitest";
import { scenarioJsonSchema } from "../../src/scenario/json-schema.js";
import { findScenario, shippedScenarios } from "../../src/scenario/load.js";
import { TRACE_FORMATS } from "../../src/scenario/schema.js";
import { planSweep } from "../../src/sweep/plan.js";
import { TRACE_FORMATS as READABLE } from "../../src/workload/formats/trace-formats.js";

const SCHEMA = new URL("../../scenarios/scenario.schema.json", import.meta.url);

describe("the scenarios that come with pdbench", () => {
  it.each(shippedScenarios())("$name is valid, at every point of its sweep", ({ file, name, summary }) => {
    const plan = planSweep(findScenario(file), [], null);
    expect(plan.base.name).toBe(name);
    expect(plan.warnings).toEqual([]);
    expect(summary).not.toBe("");
  });

  it.each(shippedScenarios())("$name tells editors its schema", ({ file }) => {
    expect(readFileSync(file, "utf8").split("\n")[0]).toBe(
      "# yaml-language-server: $schema=scenario.schema.json",
    );
  });

  it("are found by name", () => {
    expect(findScenario("quickstart").tree["name"]).toBe("quickstart");
  });

  it.each([
    [
      "quickstrat",
      'quickstrat: no such scenario file, nor one that comes with pdbench (pdbench list scenarios), did you mean "quickstart"?',
    ],
    ["none/at-all.yaml", "none/at-all.yaml: no such scenario file"],
    ["test", "test: is a folder, expected a scenario file"],
  ])("are not mistaken for %s", (name, message) => {
    expect(() => findScenario(name)).toThrow(message);
  });
});

describe("the JSON Schema of scenarios", () => {
  it("is up to date (npm run schema)", async () => {
    const options = { ...(await resolveConfig(SCHEMA)), parser: "json" };
    const fresh = await format(JSON.stringify(scenarioJsonSchema()), options);
    const isUpToDate = readFileSync(SCHEMA, "utf8") === fresh;
    expect(isUpToDate, "run `npm run schema` and commit scenarios/scenario.schema.json").toBe(true);
  });

  it("lists the trace formats that can be read", () => {
    expect(new Set(TRACE_FORMATS)).toEqual(new Set(["auto", ...READABLE.map(({ name }) => name)]));
  });
});
