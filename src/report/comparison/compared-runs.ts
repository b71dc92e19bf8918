import { isDeepStrictEqual } from "node:util";
import { InputError } from "../../errors.js";
import type { Summary } from "../../measure/summary.js";
import { didYouMean } from "../../values/nearest-name.js";
import type { Results } from "../read-results.js";
import { readRequests, readTimeline, type RequestRow, type WorkerSample } from "../run-files-reader.js";

/** A run that is compared with others. */
export interface ComparedRun {
  readonly name: string;
  readonly summary: Summary;
  readonly seed: number;
  /** Measured against a server; its settings say what was sent, not what served it. */
  readonly isLive: boolean;
  /** null where the directory has no `requests.csv`. */
  readonly requests: readonly RequestRow[] | null;
  /** null where the directory has no `timeline.csv`. */
  readonly timeline: readonly WorkerSample[] | null;
}

/** One side of a comparison: a run, or the runs of the same settings under several seeds. */
export interface Side {
  readonly name: string;
  readonly runs: readonly ComparedRun[];
}

type RunResults = Extract<Results, { kind: "run" }>;

/** Reads requests and timelines of runs; the summaries have been read. */
export function readComparedRuns(all: readonly RunResults[]): Promise<readonly ComparedRun[]> {
  return Promise.all(
    all.map(async (run) => {
      const [requests, timeline] = await Promise.all([
        readRequests(run.directory),
        readTimeline(run.directory),
      ]);
      return asComparedRun(run, { requests, timeline });
    }),
  );
}

/** A run with what was read of its files. */
export function asComparedRun(
  { name, summary }: RunResults,
  files: Pick<ComparedRun, "requests" | "timeline">,
): ComparedRun {
  const { seed, replay } = settingsOf(summary);
  return {
    name,
    summary,
    seed: typeof seed === "number" ? seed : 1,
    isLive: replay !== undefined,
    ...files,
  };
}

/**
 * Runs that differ by their seed alone stand on one side, in order of first appearance; where that leaves a
 * single side, the runs are compared as they are.
 */
export function sidesOf(runs: readonly ComparedRun[]): readonly Side[] {
  const groups: ComparedRun[][] = [];
  for (const run of runs) {
    const own = groups.find(
      (group) => group.every(({ seed }) => seed !== run.seed) && isSameBesideSeed(group[0]!, run),
    );
    if (own === undefined) groups.push([run]);
    else own.push(run);
  }
  const sides = groups.length > 1 ? groups : runs.map((run) => [run]);
  return sides.map((group) => ({ name: sharedName(group.map(({ name }) => name)), runs: group }));
}

/**
 * The side that a user names, by its position, its name or that of one of its runs.
 * @throws InputError with the nearest name
 */
export function sideNamed(sides: readonly Side[], name: string): Side {
  const byName = sides.find((side) => side.name === name || side.runs.some((run) => run.name === name));
  const found = byName ?? (/^\d+$/.test(name) ? sides[Number(name)] : undefined);
  if (found !== undefined) return found;
  const names = sides.map((side) => side.name);
  throw new InputError(
    `--baseline ${JSON.stringify(name)}: expected a run's number (0 to ${sides.length - 1}) or name, ` +
      `one of ${names.join(", ")}${didYouMean(name, names)}`,
  );
}

/** The settings of a run, as `summary.json` has them. */
export function settingsOf({ settings }: Summary): Readonly<Record<string, unknown>> {
  return (settings ?? {}) as Record<string, unknown>;
}

function isSameBesideSeed(a: ComparedRun, b: ComparedRun): boolean {
  const withoutSeed = ({ summary }: ComparedRun) => ({ ...settingsOf(summary), seed: null });
  return (
    a.isLive === b.isLive &&
    isDeepStrictEqual(withoutSeed(a), withoutSeed(b)) &&
    isDeepStrictEqual(a.summary.versions, b.summary.versions)
  );
}

/** What the names begin with in common (`after` for after-1, after-2), else all of them. */
function sharedName(names: readonly string[]): string {
  const [first = "", ...others] = names;
  if (others.length === 0) return first;
  let length = first.length;
  while (!others.every((name) => name.startsWith(first.slice(0, length)))) length--;
  const shared = first.slice(0, length).replace(/([-_. ]+(s|seed)?[-_. ]*)$/, "");
  return shared === "" ? names.join(", ") : shared;
}
