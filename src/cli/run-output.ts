import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { InputError } from "../errors.js";
import { writeRunDirectory, type RunDirectoryContent } from "../measure/run-directory.js";

/**
 * Checks before a run that its directory may be written: it does not exist, is empty, or holds the same run.
 *
 * @throws InputError naming what is in the way
 */
export function checkRunDirectory(directory: string, scenarioYaml: string): void {
  if (!existsSync(directory)) return;
  const entries = entriesOf(directory);
  if (entries.length === 0) return;
  if (!entries.includes("scenario.yaml")) {
    throw new InputError(`--out ${directory}: the folder is not empty, expected a new or an empty one`);
  }
  if (readFileSync(join(directory, "scenario.yaml"), "utf8") === scenarioYaml) return;
  throw new InputError(`--out ${directory}: holds another run, expected a new folder or the same settings`);
}

/**
 * Writes a run directory whole: it appears, or replaces an earlier run of the same settings, in one step.
 *
 * @param run makes the run, or has made it; it may write files of its own into the folder it is given.
 */
export async function writeWholeRunDirectory<Content extends RunDirectoryContent>(
  directory: string,
  run: (partial: string) => Content | Promise<Content>,
): Promise<Content> {
  const target = resolve(directory);
  const partial = join(dirname(target), `.${basename(target)}.${process.pid}.partial`);
  await mkdir(partial, { recursive: true });
  try {
    const content = await run(partial);
    await writeRunDirectory(partial, content);
    await rm(target, { recursive: true, force: true });
    await rename(partial, target);
    return content;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    throw new InputError(`--out ${directory}: is a file, expected a folder`);
  }
}
