import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { readResults, type Results } from "../report/read-results.js";
import { insidePath } from "./inside-path.js";
import { PageError } from "./page-error.js";

const MOST_RESULTS = 50;
const NEXT_STEP = "Go back to the list, which shows what is there now.";

/** The results that an address names, and the folders they lie in. */
export interface NamedResults {
  readonly paths: readonly string[];
  readonly directories: readonly string[];
}

/**
 * Checks what an address asks for, without reading it.
 *
 * @param root real path of the folder that is shown
 * @param paths below it
 * @throws PageError when a path leads elsewhere, or holds no result
 */
export async function nameResults(root: string, paths: readonly string[]): Promise<NamedResults> {
  const distinct = [...new Set(paths)];
  if (distinct.length === 0) throw new PageError(400, "No result is named.", "Open one from the list.");
  if (distinct.length > MOST_RESULTS) {
    throw new PageError(
      400,
      `${distinct.length} results are named, expected at most ${MOST_RESULTS}.`,
      "Tick fewer of them.",
    );
  }
  const directories: string[] = [];
  for (const path of distinct) directories.push(await resultDirectory(root, path));
  return { paths: distinct, directories };
}

/** Reads results for one report. Those of equal names go by their paths, so that the report can tell them apart. */
export async function openResults({ paths, directories }: NamedResults): Promise<readonly Results[]> {
  const all: Results[] = [];
  for (const directory of directories) all.push(await readResults(directory));
  const areDistinct = new Set(all.map(({ name }) => name)).size === all.length;
  return areDistinct ? all : all.map((results, i) => ({ ...results, name: nameOf(paths[i]!, results) }));
}

function nameOf(path: string, { name }: Results): string {
  return path === "." ? name : path;
}

async function resultDirectory(root: string, path: string): Promise<string> {
  const directory = insidePath(root, path);
  const name = path === "." ? basename(root) : path;
  if (!existsSync(directory)) throw new PageError(404, `${name} is not there any more.`, NEXT_STEP);
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const link = entries.find((entry) => entry.isSymbolicLink());
  if (link !== undefined) {
    throw new PageError(
      403,
      `${join(name, link.name)} is a symbolic link, and could lead out of the folder that is shown.`,
      "Put the file itself there, or use pdbench report.",
    );
  }
  const isResult = entries.some(
    (entry) => entry.isFile() && ["sweep.json", "summary.json"].includes(entry.name),
  );
  if (!isResult) {
    throw new PageError(
      404,
      `${name} has neither sweep.json nor summary.json, so it has no report.`,
      NEXT_STEP,
    );
  }
  return directory;
}
