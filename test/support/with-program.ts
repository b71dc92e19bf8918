import { spawnSync } from "node:child_process";
import { describe, it } from "vitest";

/**
 * A group of tests that need a program of the machine. Skipped, visibly, where it is not installed; fails instead when
 * `PDBENCH_REQUIRE_ALL=1` (as in CI).
 */
export function describeWithProgram(program: string, name: string, body: () => void): void {
  const isThere = spawnSync(program, ["--version"]).error === undefined;
  if (isThere) {
    describe(name, body);
  } else if (process.env["PDBENCH_REQUIRE_ALL"] === "1") {
    describe(name, () => {
      it(`finds ${program}`, () => {
        throw new Error(`PDBENCH_REQUIRE_ALL=1, but ${program} is not installed`);
      });
    });
  } else {
    describe.skip(`${name} (skipped: ${program} is not installed)`, body);
  }
}
