import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { captured, type Captured } from "./captured.js";

const DIST = new URL("../../dist/src/", import.meta.url);

/**
 * A module of `dist/`, as users run it. Its worker threads start in a third of the time of those of the TypeScript
 * sources, which translate them anew. Its classes are not those of `src/`: compare errors by their message.
 *
 * @throws Error when `npm run build` has not been run
 */
export async function built<Module>(path: string): Promise<Module> {
  const url = new URL(path, DIST);
  if (!existsSync(fileURLToPath(url))) throw new Error(`dist/src/${path} is missing: run \`npm run build\``);
  return (await import(url.href)) as Module;
}

/** Runs the built command line in this process, without the time that a process of its own takes; one at a time. */
export async function program(args: readonly string[]): Promise<Captured> {
  const { runProgram } = await built<typeof import("../../src/cli/program.js")>("cli/program.js");
  return captured(() => runProgram(args));
}
