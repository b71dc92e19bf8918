import { existsSync, realpathSync, statSync } from "node:fs";
import { join, resolve, sep } from "node:path";
import { InputError } from "../errors.js";
import { shellWord } from "../report/setting-words.js";
import { shippedScenarios } from "../scenario/load.js";
import { parseSetFlag, parseValue, pathsOf } from "../scenario/overrides.js";
import { readScenarioSource, type ScenarioSource } from "../scenario/scenario-source.js";
import { isList } from "../sweep/axis-values.js";
import { planSweep, type SweepPlan, type TypedSetting } from "../sweep/plan.js";
import { checkSweepFolder } from "../sweep/sweep-log.js";
import { insidePath, isNewName, isRegularFile } from "./inside-path.js";
import { PageError } from "./page-error.js";
import type { SweepForm } from "./sweep-form.js";

const MOST_SCENARIO_BYTES = 1 << 20;
const MOST_OUT_NAMES = 5;

/** A sweep that can start. */
export interface PlannedSweep {
  readonly form: SweepForm;
  readonly plan: SweepPlan;
  /** Where its results go. */
  readonly directory: string;
  /** The command line that does the same. */
  readonly command: string;
}

/**
 * Checks a form, all of its points included, without touching any file.
 *
 * @param root real path of the folder that is shown
 * @param folder the same folder as its user named it
 * @throws InputError or PageError for what cannot be run, or is not below `root`
 */
export function planForm(root: string, folder: string, form: SweepForm): PlannedSweep {
  const source = scenarioOf(root, form.scenario);
  const typed = typedSettings(form);
  for (const setting of typed) checkFiles(root, setting);
  const plan = planSweep(source, typed, form.seeds === "" ? null : form.seeds, root);
  const directory = outDirectory(root, form.out);
  checkSweepFolder(directory);
  return { form, plan, directory, command: commandOf(folder, form) };
}

/** What `pdbench sweep` would be given; errors name its flags, which the form shows beside its fields. */
function typedSettings({ trace, routingThreshold, policies, requests, settings }: SweepForm): TypedSetting[] {
  const typed: TypedSetting[] = [];
  const add = (setting: string, text: string, source: string): void => {
    if (text !== "") typed.push({ setting, text, source });
  };
  add("policy", policies.join(","), "--policy");
  add("routing_threshold", routingThreshold, "--routing-threshold");
  add("trace", trace, "--trace");
  add("requests", requests, "--requests");
  for (const line of setLines(settings)) {
    const { setting, text } = parseSetFlag(line);
    add(setting, text, `--set ${setting}`);
  }
  return typed;
}

function setLines(settings: string): readonly string[] {
  const lines = settings.split("\n").map((line) => line.trim().replace(/^--set +/, ""));
  return lines.filter((line) => line !== "");
}

function scenarioOf(root: string, scenario: string): ScenarioSource {
  const [kind, name] = [scenario.slice(0, 5), scenario.slice(5)];
  const shipped = shippedScenarios().find((one) => kind === "name:" && one.name === name);
  if (shipped !== undefined) return readScenarioSource(shipped.file);
  if (kind !== "file:") throw new InputError("Scenario: expected one of the list");
  const file = insidePath(root, name);
  if (!isRegularFile(file)) throw new InputError(`Scenario: ${name}: no such file below the folder`);
  if (statSync(file).size > MOST_SCENARIO_BYTES)
    throw new InputError(`Scenario: ${name}: is too large for one`);
  return readScenarioSource(file);
}

/**
 * A form may name files below the folder only; a scenario's own files are where its author wants them.
 *
 * @throws InputError for another, before anything of it is read
 */
function checkFiles(root: string, { setting, text, source }: TypedSetting): void {
  const isTrace = pathsOf(setting).some((path) => path.join(".") === "workload.trace");
  const values = isList(text) ? text.split(",") : [text];
  for (const value of values.flatMap((one) => textsOf(parseValue(one, source)))) {
    const file = resolve(root, value);
    const isThere = existsSync(file);
    if (isThere ? !isBelow(root, realpathSync(file)) : isTrace) {
      throw new InputError(
        `${source}: ${value}: expected a file below ${root}, without links that lead out of it`,
      );
    }
  }
}

function isBelow(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}

/** Every text in a value. */
function textsOf(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

function outDirectory(root: string, out: string): string {
  const names = out.split("/");
  if (names.length > MOST_OUT_NAMES || !names.every(isNewName)) {
    throw new InputError(
      `Results go to ${JSON.stringify(out)}: expected a name of letters, digits, "-", "_" and ".", such as threshold-1`,
    );
  }
  return insidePath(root, out);
}

function commandOf(folder: string, form: SweepForm): string {
  const words = [
    "pdbench",
    "sweep",
    form.scenario.startsWith("file:") ? join(folder, form.scenario.slice(5)) : form.scenario.slice(5),
  ];
  const add = (flag: string, value: string): void => {
    if (value !== "") words.push(flag, value);
  };
  add("--trace", form.trace === "" ? "" : join(folder, form.trace));
  add("--routing-threshold", form.routingThreshold);
  add("--policy", form.policies.join(","));
  add("--requests", form.requests);
  for (const line of setLines(form.settings)) add("--set", line);
  add("--seeds", form.seeds);
  if (form.keepsRuns) words.push("--keep-runs");
  add("--out", join(folder, form.out));
  return words.map(shellWord).join(" ");
}

/** A name for new results that nothing has yet, nor is in `taken`: the scenario's, numbered. */
export function freeName(root: string, scenario: string, taken: readonly string[]): string {
  const last = scenario
    .slice(5)
    .split("/")
    .at(-1)!
    .replace(/\.ya?ml$/i, "");
  const stem =
    last
      .replaceAll(/[^A-Za-z0-9_-]+/g, "-")
      .replace(/^[^A-Za-z0-9]+/, "")
      .slice(0, 60) || "sweep";
  for (let number = 1; ; number++) {
    const name = `${stem}-${number}`;
    if (!taken.includes(name) && !existsSync(join(root, name))) return name;
  }
}

/** How many runs a plan is, in words. */
export function planWords({ points, seeds }: SweepPlan): string {
  const count = (n: number, one: string): string => `${n} ${one}${n === 1 ? "" : "s"}`;
  const runs = count(points.length * seeds.length, "run");
  return `${count(points.length, "point")} x ${count(seeds.length, "seed")} = ${runs}`;
}

/** What a form's error says to do. */
export function formProblem(error: unknown): string {
  if (error instanceof InputError) return error.message;
  if (error instanceof PageError) return `${error.message} ${error.nextStep}`;
  throw error;
}
