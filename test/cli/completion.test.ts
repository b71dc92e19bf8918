import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/commands.js";
import { completionScript, SHELLS } from "../../src/cli/completion-scripts.js";
import { completionTree, type CompletionCommand } from "../../src/cli/completion-tree.js";
import { runProgram } from "../../src/cli/program.js";
import { POLICIES } from "../../src/routing/registry.js";
import { describeWithProgram } from "../support/with-program.js";
import { captured } from "../support/captured.js";

const folder = mkdtempSync(join(tmpdir(), "pdbench-completion-"));
mkdirSync(join(folder, "runs"));
/** Where shells keep files of their own, which must not be offered. */
const home = mkdtempSync(join(tmpdir(), "pdbench-completion-home-"));
writeFileSync(join(folder, "mine.yaml"), "");
afterAll(() => {
  for (const each of [folder, home]) rmSync(each, { recursive: true, force: true });
});

let tree: CompletionCommand[];
beforeAll(async () => {
  tree = await completionTree(COMMANDS);
  for (const shell of SHELLS) writeFileSync(join(folder, `script.${shell}`), completionScript(shell, tree));
});

type Offered = (lines: readonly string[]) => string[][];

/** What bash offers at the end of each line. */
const bash: Offered = (lines) => {
  const calls = lines.map((line) => {
    // bash hands over --flag=value as three words.
    const words = line.split(" ").flatMap((word) => word.split(/(?<==)|(?==)/));
    const quoted = words.map((word) => `'${word}'`).join(" ");
    return `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _pdbench; printf '%s\\n' "\${COMPREPLY[@]}" ""`;
  });
  const script = ["set -u", "source ./script.bash", "complete -p pdbench >/dev/null", ...calls].join("\n");
  return groupsOf(run("bash", ["--norc", "-c", script]), lines.length);
};

/** What zsh offers: it completes in a terminal only, so one is made for it, and what it would list is printed. */
const zsh: Offered = (lines) => groupsOf(run("zsh", ["-f", ZSH_DRIVER, ...lines]), lines.length);

/** What fish offers, without what it says of each. */
const fish: Offered = (lines) => {
  const calls = lines.map((line) => `complete -C '${line}'; echo ''`);
  const out = run("fish", ["--no-config", "-c", ["source ./script.fish", ...calls].join("\n")]);
  return groupsOf(
    out
      .split("\n")
      .map((line) =>
        line
          .split("\t")[0]!
          .replace(/\/$/, "")
          .replace(/^--executor=/, ""),
      )
      .join("\n"),
    lines.length,
  );
};

function run(shell: string, args: readonly string[]): string {
  const own = { HOME: home, XDG_CONFIG_HOME: home, XDG_DATA_HOME: home, XDG_CACHE_HOME: home };
  return execFileSync(shell, args, { cwd: folder, encoding: "utf8", env: { ...process.env, ...own } });
}

/** Words up to an empty line, for each line that was completed. */
function groupsOf(out: string, count: number): string[][] {
  const groups = out.split(/^\n/m).slice(0, count);
  return groups.map((group) => [...new Set(group.split("\n").filter((word) => word !== ""))].sort());
}

const ZSH_DRIVER = fileURLToPath(new URL("offered.zsh", import.meta.url));

/** A line that is being typed, and all that is offered at its end. */
const LINES: readonly (readonly [string, readonly string[]])[] = [
  ["pdbench si", ["simulate"]],
  ["pdbench simulate --policy least", ["least_estimated_ttft", "least_loaded"]],
  ["pdbench sweep quickstart --prefill-", ["--prefill-policy", "--prefill-workers"]],
  ["pdbench simulate m", ["mine.yaml", "mooncake-figure-10", "mooncake-figure-15"]],
  ["pdbench report ", ["runs"]],
  ["pdbench list p", ["policies", "presets", "profiles"]],
  ["pdbench trace ", ["convert", "generate", "stats"]],
  ["pdbench trace stats --lr", ["--lru"]],
  ["pdbench sweep --executor bull", ["bullmq"]],
  ["pdbench sweep --executor=bull", ["bullmq"]],
  ["pdbench simulate --requests ", []],
];

for (const [shell, offered] of Object.entries({ bash, zsh, fish })) {
  describeWithProgram(shell, `pdbench completion ${shell}, in ${shell}`, () => {
    it("offers commands, flags, names and files where each belongs", () => {
      const all = offered(LINES.map(([line]) => line));
      expect(Object.fromEntries(LINES.map(([line], i) => [line, all[i]]))).toEqual(Object.fromEntries(LINES));
    });
  });
}

describe("the scripts", () => {
  it("have every command and every policy, for every shell", () => {
    for (const shell of ["bash", "zsh", "fish"] as const) {
      const script = completionScript(shell, tree);
      for (const { name } of [...COMMANDS, ...POLICIES]) expect(script).toContain(name);
      expect(script).not.toContain("undefined");
    }
  });

  it("offer no hidden flag, and every flag that help shows", async () => {
    const proxy = await COMMANDS.find(({ name }) => name === "proxy")!.load();
    const flags = tree.find(({ path }) => path === "proxy")!.flags.map(({ name }) => name);
    const shown = proxy.options.filter(({ hidden }) => !hidden).map(({ long }) => long!);
    expect(flags).toEqual([...shown, "--help"]);
  });

  it("are refused for a shell that there is none for", async () => {
    const { status, stderr } = await captured(() => runProgram(["completion", "bsh"]));
    expect(stderr).toContain('unknown shell, expected one of bash, zsh, fish, did you mean "bash"?');
    expect(status).toBe(2);
  });
});
