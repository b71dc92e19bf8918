import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { typedSettings } from "../../src/cli/override-flags.js";
import { findScenario } from "../../src/scenario/load.js";
import { planSweep } from "../../src/sweep/plan.js";
import { parseCommand } from "../support/parse-command.js";

const text = readFileSync(new URL("../../docs/sweeps.md", import.meta.url), "utf8");

/** Command lines of the page's blocks, without comments and environment, long ones put together. */
const lines = [...text.matchAll(/^```\n([\s\S]*?)^```$/gm)]
  .flatMap(([, block]) => block!.replaceAll("\\\n", " ").split("\n"))
  .flatMap((line) => {
    const found = /\bnpx pdbench (.*)$/.exec(line.replace(/ #.*$/, "").trim());
    return found === null ? [] : [found[1]!.split(/\s+/)];
  });

describe("docs/sweeps.md", () => {
  it("has commands", () => expect(lines.length).toBeGreaterThan(5));

  it.each(lines.map((args) => [args.join(" "), args] as const))("%s", async (_, args) => {
    const command = await parseCommand(args);
    if (args[0] !== "sweep" && args[0] !== "optimize") return;
    const plan = planSweep(findScenario(command.args[0]!), typedSettings(command), null);
    expect(plan.points.length).toBeGreaterThan(1);
    expect(plan.warnings).toEqual([]);
  });
});
