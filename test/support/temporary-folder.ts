import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PREFIX = "pdbench-";

/** Gives all tests of a run one temporary folder, and removes it after the last. */
export default function setUp(): () => void {
  // Every project of the run comes here.
  if (process.env["TMPDIR"]?.includes(PREFIX) === true) return () => undefined;
  const folder = mkdtempSync(join(tmpdir(), PREFIX));
  process.env["TMPDIR"] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
