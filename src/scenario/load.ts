import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "../errors.js";
import { packageRoot } from "../package-info.js";
import { didYouMean } from "../values/nearest-name.js";
import type { Override } from "./overrides.js";
import { resolveScenario } from "./resolve.js";
import { readScenarioSource, type ScenarioSource } from "./scenario-source.js";
import type { Scenario } from "./schema.js";

/** A scenario that comes with pdbench. */
export interface ShippedScenario {
  /** Its file's name without the extension. */
  readonly name: string;
  readonly file: string;
  /** The first comment of the file. */
  readonly summary: string;
}

/** The scenario of a command that is given none; it has no workload of its own. */
const DEFAULT_NAME = "default";

/**
 * Reads and checks a scenario.
 *
 * @param scenario a file, or the name of a scenario that comes with pdbench
 * @throws InputError naming file, line, field, value and what was expected
 */
export function loadScenario(scenario: string, overrides: readonly Override[] = []): Scenario {
  return resolveScenario(findScenario(scenario), overrides);
}

/** The scenario of `pdbench simulate --trace FILE`. */
export function defaultScenario(overrides: readonly Override[] = []): Scenario {
  return resolveScenario(findScenario(null), overrides);
}

/** The source of a scenario by file or shipped name; null = the default one. */
export function findScenario(scenario: string | null): ScenarioSource {
  if (scenario !== null && (existsSync(scenario) || /[./\\]/.test(scenario))) {
    return readScenarioSource(scenario);
  }
  const shipped = shippedScenarios();
  const found = shipped.find(({ name }) => name === (scenario ?? DEFAULT_NAME));
  if (found !== undefined) return readScenarioSource(found.file);
  const hint = didYouMean(
    scenario!,
    shipped.map(({ name }) => name),
  );
  throw new InputError(
    `${scenario!}: no such scenario file, nor one that comes with pdbench (pdbench list scenarios)${hint}`,
  );
}

/** The scenarios that come with pdbench, by name. */
export function shippedScenarios(): readonly ShippedScenario[] {
  const folder = join(packageRoot(), "scenarios");
  return readdirSync(folder)
    .filter((file) => file.endsWith(".yaml"))
    .sort()
    .map((file) => {
      const path = join(folder, file);
      return { name: file.slice(0, -".yaml".length), file: path, summary: firstComment(path) };
    });
}

function firstComment(file: string): string {
  const comment = readFileSync(file, "utf8")
    .split("\n")
    .find((line) => /^#(?! *yaml-language-server)/.test(line));
  return comment?.replace(/^#+ */, "").trim() ?? "";
}
