import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

function git(...args: string[]): string {
  return execFileSync("git", ["-C", ROOT, ...args], { encoding: "utf8" }).trim();
}

/** The latest revision of `main` below the working tree, with `+` where `src` is not as it is there, and its date. */
export function thisRevision(): { revision: string; date: string } {
  const base = git("merge-base", "HEAD", "main");
  const changed = git("diff", "--name-only", base, "--", "src") === "" ? "" : "+";
  const date = git("log", "-1", "--format=%cs", base);
  return { revision: git("rev-parse", "--short", base) + changed, date };
}

/**
 * Calls `body` with the bench script in a working tree of another revision. Only what is measured is of that revision:
 * the cases are this one's, so that both measure the same.
 */
export async function inRevision<T>(revision: string, body: (script: string) => Promise<T>): Promise<T> {
  const commit = git("rev-parse", "--verify", `${revision}^{commit}`);
  const folder = mkdtempSync(join(tmpdir(), "pdbench-revision-"));
  const tree = join(folder, "tree");
  try {
    git("worktree", "add", "--detach", "--quiet", tree, commit);
    symlinkSync(join(ROOT, "node_modules"), join(tree, "node_modules"));
    rmSync(join(tree, "scripts", "bench"), { recursive: true, force: true });
    cpSync(join(ROOT, "scripts", "bench"), join(tree, "scripts", "bench"), { recursive: true });
    cpSync(join(ROOT, "scripts", "bench.ts"), join(tree, "scripts", "bench.ts"));
    return await body(join(tree, "scripts", "bench.ts"));
  } finally {
    git("worktree", "remove", "--force", tree);
    rmSync(folder, { recursive: true, force: true });
  }
}
