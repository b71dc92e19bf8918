import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { InputError } from "../../errors.js";
import type { SweepFingerprint } from "../fingerprint.js";
import type { SweepPoint, SweepResult } from "../sweep-result.js";
import { compareMarks, markOf, type Objective } from "./objective.js";

/** How a search's point stands in the whole grid. */
export interface GridComparison {
  readonly directory: string;
  /** Place of the point in the grid, from 1. */
  readonly rank: number;
  readonly points: number;
  /** The grid's best point, and the objective there and at the point that the search found. */
  readonly best: { readonly settings: SweepPoint["settings"]; readonly value: number | null };
  readonly found: { readonly settings: SweepPoint["settings"]; readonly value: number | null };
  /** How far the found value is from the best, as a share of it; null where there is none. */
  readonly regret: number | null;
}

/** A sweep over the grid that a search is about to search. */
export interface KnownGrid {
  readonly directory: string;
  readonly sweep: SweepResult;
}

/**
 * Reads the sweep of a grid.
 *
 * @throws InputError when the directory holds no sweep, or one over another grid, workload or scenario
 */
export async function knownGrid(directory: string, fingerprint: SweepFingerprint): Promise<KnownGrid> {
  const sweep = await readGrid(directory);
  const here = JSON.parse(JSON.stringify(fingerprint)) as SweepFingerprint;
  const parts = [
    ["axes", sweep.axes, here.axes],
    ["seeds", sweep.seeds, here.seeds],
    ["scenario", sweep.scenario, here.scenario],
    ["workload", sweep.workload_hash, here.workload_hash],
    ["version of pdbench", sweep.versions.pdbench, here.pdbench],
  ] as const;
  const different = parts.filter(([, there, now]) => !isDeepStrictEqual(there, now)).map(([name]) => name);
  if (different.length === 0) return { directory, sweep };
  throw new InputError(
    `--compare ${directory}: is a sweep of other ${different.join(", ")}; expected one with the same flags`,
  );
}

/**
 * Looks the point that a search recommends up in the grid.
 *
 * @param point its position in the grid
 */
export function compareWithGrid(
  { directory, sweep: grid }: KnownGrid,
  point: number,
  objective: Objective,
  attainment: number | null,
): GridComparison {
  const compare = compareMarks(objective, attainment);
  const ranked = grid.points
    .map((one) => ({
      one,
      mark: markOf(
        one.runs.map(({ summary }) => summary),
        objective,
      ),
    }))
    .toSorted((a, b) => compare(a.mark, b.mark) || a.one.index - b.one.index);
  const rank = ranked.findIndex(({ one }) => one.index === point);
  const [best, found] = [ranked[0]!, ranked[rank]!];
  const regret =
    best.mark.value === null || found.mark.value === null || best.mark.value === 0
      ? null
      : Math.abs(found.mark.value - best.mark.value) / Math.abs(best.mark.value);
  return {
    directory,
    rank: rank + 1,
    points: ranked.length,
    best: { settings: best.one.settings, value: best.mark.value },
    found: { settings: found.one.settings, value: found.mark.value },
    regret,
  };
}

async function readGrid(directory: string): Promise<SweepResult> {
  const path = join(directory, "sweep.json");
  if (!existsSync(path)) {
    throw new InputError(
      `--compare ${directory}: has no sweep.json, expected what \`pdbench sweep --out\` wrote`,
    );
  }
  const grid = JSON.parse(await readFile(path, "utf8")) as SweepResult;
  if ((grid.schema as string) === "pdbench/sweep@1") return grid;
  throw new InputError(`${path}: schema ${JSON.stringify(grid.schema)}: expected "pdbench/sweep@1"`);
}
