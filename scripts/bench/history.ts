import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { BenchFigures } from "./measure.js";

const FILE = fileURLToPath(new URL("history.json", import.meta.url));

/** One recorded run of the suite. */
export interface Recorded {
  /** Revision of `main` that was measured, with `+` where the working tree had changes on top of it. */
  readonly revision: string;
  /** When that revision was made. */
  readonly date: string;
  readonly node: string;
  readonly cpu: string;
  readonly cases: Readonly<Record<string, BenchFigures>>;
}

/** Everything recorded, oldest first. */
export function history(): readonly Recorded[] {
  return JSON.parse(readFileSync(FILE, "utf8")) as Recorded[];
}

/** Adds to the history; a revision that is there already is replaced. */
export function record(entry: Recorded): void {
  const others = history().filter(({ revision }) => revision !== entry.revision);
  writeFileSync(FILE, `${JSON.stringify([...others, entry], null, 2)}\n`);
}
