import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, it } from "vitest";

/**
 * Real traces, real vLLM runs and golden schedules lie beside the repository in `../shared/data` and are not
 * part of it. Tests that need them are skipped where they are absent, and fail instead when
 * `PDBENCH_REQUIRE_ALL=1` (as in CI).
 */
const ROOT =
  process.env["PDBENCH_SHARED_DATA"] ?? fileURLToPath(new URL("../../../shared/data", import.meta.url));

/** Path of a file or folder of the shared data; it may not exist. */
export function sharedData(path: string): string {
  return `${ROOT}/${path}`;
}

/** A group of tests that need `paths` of the shared data. */
export function describeWithSharedData(name: string, paths: readonly string[], body: () => void): void {
  const missing = paths.filter((path) => !existsSync(sharedData(path)));
  if (missing.length === 0) {
    describe(name, body);
  } else if (process.env["PDBENCH_REQUIRE_ALL"] === "1") {
    describe(name, () => {
      it("finds the shared data", () => {
        throw new Error(`PDBENCH_REQUIRE_ALL=1, but ${missing.map(sharedData).join(", ")} is missing`);
      });
    });
  } else {
    describe.skip(`${name} (skipped: ${missing.join(", ")} is not in ../shared/data)`, body);
  }
}
