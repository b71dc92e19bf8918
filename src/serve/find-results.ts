import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { SHARD_FILE } from "../sweep/shards.js";
import { SWEEP_LOG_FILE } from "../sweep/sweep-log.js";

/** What a folder holds, by its files. */
export type ResultKind = "run" | "sweep" | "unfinished sweep" | "shard";

export interface FoundResult {
  /** Below the folder that is searched, separated by `/`; `.` = that folder itself. */
  readonly path: string;
  readonly kind: ResultKind;
  /** The run was kept by the sweep whose folder it lies in. */
  readonly isKept: boolean;
}

/** What lies below a folder. */
export interface FoundFiles {
  readonly results: readonly FoundResult[];
  /** YAML files outside of results: most likely scenarios. */
  readonly scenarios: readonly string[];
  readonly traces: readonly string[];
  /** Folders that cannot be read. */
  readonly unreadable: readonly string[];
  /** The search ended early: there are more folders than anybody would browse. */
  readonly isCut: boolean;
}

const MOST_FOLDERS = 20_000;
const MOST_FILES = 500;
const DEEPEST = 12;
/** The file by which a kind of result is known; the first that is there decides. */
const MARKS: readonly (readonly [string, ResultKind])[] = [
  ["sweep.json", "sweep"],
  ["summary.json", "run"],
  [SHARD_FILE, "shard"],
  [SWEEP_LOG_FILE, "unfinished sweep"],
];
const SCENARIO = /\.ya?ml$/i;
const TRACE = /\.(jsonl|csv)(\.gz)?$/i;

interface Folder {
  readonly path: string;
  readonly depth: number;
  readonly isKept: boolean;
}

/** Searches a folder for results, scenarios and traces. Hidden folders, `node_modules` and symbolic links are passed over. */
export async function findResults(root: string): Promise<FoundFiles> {
  const found = {
    results: [] as FoundResult[],
    scenarios: [] as string[],
    traces: [] as string[],
    unreadable: [] as string[],
  };
  const queue: Folder[] = [{ path: ".", depth: 0, isKept: false }];
  let visited = 0;
  for (let folder = queue.pop(); folder !== undefined; folder = queue.pop()) {
    if (++visited > MOST_FOLDERS) return { ...found, isCut: true };
    const entries = await entriesOf(join(root, folder.path));
    if (entries === null) {
      found.unreadable.push(folder.path);
      continue;
    }
    const kind = kindOf(entries);
    if (kind !== null) found.results.push({ path: folder.path, kind, isKept: folder.isKept });
    else if (!folder.isKept) takeFiles(folder.path, entries, found);
    queue.push(...foldersBelow(folder, entries, kind));
  }
  found.scenarios.sort();
  found.traces.sort();
  return { ...found, isCut: false };
}

async function entriesOf(folder: string): Promise<readonly Dirent[] | null> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch {
    return null;
  }
}

/** What a folder holds by the names of its files; null = no result. */
function kindOf(entries: readonly Dirent[]): ResultKind | null {
  const files = new Set(entries.filter((entry) => entry.isFile()).map(({ name }) => name));
  return MARKS.find(([file]) => files.has(file))?.[1] ?? null;
}

function takeFiles(
  folder: string,
  entries: readonly Dirent[],
  { scenarios, traces }: { scenarios: string[]; traces: string[] },
): void {
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = below(folder, entry.name);
    if (SCENARIO.test(entry.name) && scenarios.length < MOST_FILES) scenarios.push(path);
    else if (TRACE.test(entry.name) && traces.length < MOST_FILES) traces.push(path);
  }
}

/** Results hold no others, but for the runs that a sweep keeps. */
function foldersBelow(
  { path, depth, isKept }: Folder,
  entries: readonly Dirent[],
  kind: ResultKind | null,
): Folder[] {
  if (depth === DEEPEST || kind === "run") return [];
  const isSweep = kind !== null;
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "node_modules")
    .filter(({ name }) => !isSweep || name === "runs")
    .map(({ name }) => ({ path: below(path, name), depth: depth + 1, isKept: isKept || isSweep }));
}

function below(folder: string, name: string): string {
  return folder === "." ? name : `${folder}/${name}`;
}
