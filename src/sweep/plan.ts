import { isDeepStrictEqual } from "node:util";
import { InputError } from "../errors.js";
import { parseValue, pathsOf, type Override } from "../scenario/overrides.js";
import { resolveWithOrigins, type Resolution } from "../scenario/resolve.js";
import type { ScenarioSource, SettingPath } from "../scenario/scenario-source.js";
import type { Scenario } from "../scenario/schema.js";
import { isKnownSetting, nearestSetting } from "../scenario/setting-names.js";
import { checkRange, distinct, isList, isScalarValue, parseAxisValues } from "./axis-values.js";
import type { SettingValue, SweepAxis } from "./sweep-result.js";
import { checkFlagsApply, unusedInFile } from "./unused-settings.js";

/** A setting as typed on the command line; `text` may be a list or a range. */
export interface TypedSetting {
  readonly setting: string;
  readonly text: string;
  /** The flag, for messages. */
  readonly source: string;
}

/** One cell of the grid, ready to run. */
export interface PlannedPoint {
  readonly index: number;
  readonly settings: Readonly<Record<string, SettingValue>>;
  readonly scenario: Scenario;
}

/** Everything a sweep is going to run. */
export interface SweepPlan {
  /** The scenario before the axes are applied. */
  readonly base: Scenario;
  readonly axes: readonly SweepAxis[];
  readonly seeds: readonly number[];
  /** In grid order: the last axis varies fastest. */
  readonly points: readonly PlannedPoint[];
  /** What of the scenario file changes nothing, a sentence each. */
  readonly warnings: readonly string[];
}

interface PlannedAxis extends SweepAxis {
  readonly source: string;
  readonly at?: SettingPath;
}

const MOST_POINTS = 20_000;

/**
 * The grid of a scenario's `sweep` block and of flags that are lists or ranges.
 *
 * A flag wins over the file: its list replaces the file's axis of the same setting, a single value removes it.
 * Every point is checked here, before any of them runs.
 *
 * @param seeds `--seeds`: how many seeds, or a list of them; null = as in the file, else one
 * @throws InputError for an impossible value of any axis, naming the flag or the line of the file
 */
export function planSweep(
  source: ScenarioSource,
  typed: readonly TypedSetting[],
  seeds: string | null,
  workingDirectory?: string,
): SweepPlan {
  const ordered = broadFirst(typed);
  for (const { text, source: flag } of ordered) checkRange(text, flag);
  const flags = ordered.filter((flag) => !isList(flag.text)).map(overrideOf);
  const flagAxes = ordered.filter((flag) => isList(flag.text)).map(axisOf);
  const axes = placedAxes(axesOfFile(source), flagAxes, ordered);
  const { scenario: base } = resolveWithOrigins(source, flags, workingDirectory);
  rejectSeedAxis(axes, source);

  const size = axes.reduce((product, axis) => product * axis.values.length, 1);
  if (size > MOST_POINTS) {
    throw new InputError(`the sweep has ${size} points, expected at most ${MOST_POINTS}`);
  }
  const cells = Array.from({ length: size }, (_, index) => cellOf(axes, index));
  const runs = cells.map((cell) => {
    // Later overrides win: the file's axes, single flags, then flags that are lists.
    const fromFile = cell.filter(({ at }) => at !== undefined);
    const fromFlags = cell.filter(({ at }) => at === undefined);
    return resolveWithOrigins(source, [...fromFile, ...flags, ...fromFlags], workingDirectory);
  });
  checkFlagsApply(typed, runs);
  return {
    base,
    axes: axes.map(({ setting, values }) => ({ setting, values })),
    seeds: seeds === null ? seedsOfFile(source, base.seed) : parseSeeds(seeds, base.seed),
    points: runs.map(({ scenario }, index) => ({
      index,
      settings: Object.fromEntries(
        cells[index]!.map(({ setting, value }) => [setting, value as SettingValue]),
      ),
      scenario,
    })),
    warnings: unusedInFile(runs),
  };
}

/** A single run: what `planSweep` does for one point, without the axes of the file. */
export interface RunPlan {
  readonly resolution: Resolution;
  readonly warnings: readonly string[];
}

/**
 * The one run of a scenario under flags that are single values.
 *
 * @throws InputError for an impossible value, a list, or a flag that changes nothing
 */
export function planRun(
  source: ScenarioSource,
  typed: readonly TypedSetting[],
  workingDirectory?: string,
): RunPlan {
  const resolution = resolveWithOrigins(source, broadFirst(typed).map(overrideOf), workingDirectory);
  checkFlagsApply(typed, [resolution]);
  const isSweep = source.tree["sweep"] !== undefined;
  return { resolution, warnings: isSweep ? [] : unusedInFile([resolution]) };
}

/** `--policy` sets both legs and `--prefill-policy` one of them: the narrower flag wins. */
function broadFirst(typed: readonly TypedSetting[]): readonly TypedSetting[] {
  return typed.toSorted((a, b) => pathsOf(b.setting).length - pathsOf(a.setting).length);
}

/** The single value of a flag. @throws InputError where it is a list: only sweeps take lists. */
export function overrideOf({ setting, text, source }: TypedSetting): Override {
  if (isList(text)) {
    throw new InputError(
      `${source}: "${text}": expected one value here; \`pdbench sweep\` takes lists and ranges`,
    );
  }
  return { setting, value: parseValue(text, source), source };
}

function axisOf({ setting, text, source }: TypedSetting): PlannedAxis {
  return { setting, values: parseAxisValues(text, source), source };
}

/** Settings that are varied by the file's `sweep` block: all of it but `seeds`. */
function axesOfFile(source: ScenarioSource): PlannedAxis[] {
  return Object.entries(sweepBlock(source))
    .filter(([setting]) => setting !== "seeds")
    .map(([setting, given]) => {
      const at = ["sweep", setting];
      if (!isKnownSetting(setting)) {
        const nearest = nearestSetting(setting);
        const hint = nearest === null ? "" : `, did you mean "${nearest}"?`;
        throw source.errorAt(at, `unknown setting${hint}`, "key");
      }
      return { setting, values: axisValues(given, at, source), source: at.join("."), at };
    });
}

function axisValues(given: unknown, at: SettingPath, source: ScenarioSource): SettingValue[] {
  if (typeof given === "string") return withPlace(() => parseAxisValues(given, ""), at, source);
  const list: unknown[] = Array.isArray(given) ? given : [given];
  const wrong = list.findIndex((value) => !isScalarValue(value));
  if (list.length === 0 || wrong >= 0) {
    const place = wrong >= 0 && Array.isArray(given) ? [...at, wrong] : at;
    throw source.errorAt(place, "expected a list of values, or a range such as 0:8192:1024");
  }
  return withPlace(() => distinct(list as SettingValue[], ""), at, source);
}

/** Runs a check of typed text on a value of the file, so that its error names the place in the file. */
function withPlace<T>(check: () => T, at: SettingPath, source: ScenarioSource): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof InputError) throw source.errorAt(at, error.message.replace(/^: /, ""));
    throw error;
  }
}

function sweepBlock(source: ScenarioSource): Readonly<Record<string, unknown>> {
  const block = source.tree["sweep"] ?? {};
  if (typeof block === "object" && !Array.isArray(block)) return block as Record<string, unknown>;
  throw source.errorAt(["sweep"], "expected a block of settings, each with a list of values");
}

/**
 * The axes of the grid: a flag's list stands in place of the file's axis of that setting, other lists follow.
 * Axes of the file that a flag sets altogether are gone.
 */
function placedAxes(
  ofFile: readonly PlannedAxis[],
  ofFlags: readonly PlannedAxis[],
  typed: readonly TypedSetting[],
): PlannedAxis[] {
  const given = new Set(typed.flatMap((flag) => namesOf(flag.setting)));
  const inPlace = ofFile.flatMap((axis): PlannedAxis[] => {
    const replacement = ofFlags.find((flag) =>
      isDeepStrictEqual(namesOf(flag.setting), namesOf(axis.setting)),
    );
    if (replacement !== undefined) return [replacement];
    return namesOf(axis.setting).every((name) => given.has(name)) ? [] : [axis];
  });
  return [...inPlace, ...ofFlags.filter((axis) => !inPlace.includes(axis))];
}

/** The dotted paths that a setting stands for. */
function namesOf(setting: string): string[] {
  return pathsOf(setting).map((path) => path.join("."));
}

function rejectSeedAxis(axes: readonly PlannedAxis[], source: ScenarioSource): void {
  const axis = axes.find(({ setting }) => setting === "seed");
  if (axis === undefined) return;
  const problem = "expected one seed; `seeds` repeats every point under several";
  throw axis.at ? source.errorAt(axis.at, problem) : new InputError(`${axis.source}: ${problem}`);
}

/** The values of every axis at one cell of the grid. */
function cellOf(axes: readonly PlannedAxis[], index: number): Override[] {
  const cell: Override[] = [];
  let rest = index;
  for (const { setting, values, source, at } of axes.toReversed()) {
    const position = rest % values.length;
    rest = Math.floor(rest / values.length);
    const place = at === undefined ? {} : { at: [...at, position] };
    cell.unshift({ setting, value: values[position], source, ...place });
  }
  return cell;
}

const SEEDS = "expected how many seeds (at least 1), or a list of different ones such as 1,2,3";

/** `seeds: 3` = three seeds from `base` on; `seeds: [1, 5, 9]` = these. */
function seedsOfFile(source: ScenarioSource, base: number): readonly number[] {
  const given = sweepBlock(source)["seeds"] ?? 1;
  const seeds = typeof given === "number" ? countFrom(base, given) : given;
  if (!areSeeds(seeds)) throw source.errorAt(["sweep", "seeds"], SEEDS);
  return seeds;
}

/** The same as typed: `3` or `1,5,9`. */
function parseSeeds(text: string, base: number): readonly number[] {
  const numbers = text.split(",").map(Number);
  const seeds = text.includes(",") ? numbers : countFrom(base, numbers[0]!);
  if (!areSeeds(seeds)) throw new InputError(`--seeds: ${text}: ${SEEDS}`);
  return seeds;
}

function countFrom(base: number, count: number): number[] {
  return Number.isInteger(count) && count <= MOST_POINTS
    ? Array.from({ length: count }, (_, i) => base + i)
    : [];
}

function areSeeds(seeds: unknown): seeds is readonly number[] {
  if (!Array.isArray(seeds) || seeds.length === 0 || new Set(seeds).size < seeds.length) return false;
  return seeds.every((seed) => Number.isSafeInteger(seed) && seed >= 0);
}
