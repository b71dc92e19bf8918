import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/commands.js";
import { completionScript } from "../../src/cli/completion-scripts.js";
import { completionTree, type CompletionCommand } from "../../src/cli/completion-tree.js";
import { runProgram } from "../../src/cli/program.js";
import { POLICIES } from "../../src/routing/registry.js";
import { captured } from "../support/captured.js";

const folder = mkdtempSync(join(tmpdir(), "pdbench-completion-"));
mkdirSync(join(folder, "runs"));
writeFileSync(join(folder, "mine.yaml"), "");
writeFileSync(join(folder, "script.bash"), "");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let tree: CompletionCommand[];
beforeAll(async () => {
  tree = await completionTree(COMMANDS);
  writeFileSync(join(folder, "script.bash"), completionScript("bash", tree));
});

/** What bash offers after `words`, the last of which is being typed. */
function offered(...lines: string[][]): string[][] {
  const calls = lines.map(
    (words) =>
      `COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}; _pdbench; echo "\${COMPREPLY[*]}"`,
  );
  const script = ["set -u", "source ./script.bash", "complete -p pdbench >/dev/null", ...calls].join("\n");
  const out = execFileSync("bash", ["--norc", "-c", script], { cwd: folder, encoding: "utf8" });
  return out
    .trimEnd()
    .split("\n")
    .map((line) => line.split(" ").filter((word) => word !== ""));
}

describe("pdbench completion bash, in bash", () => {
  it("offers commands, flags, names and files where each belongs", () => {
    const [commands, policies, flags, scenario, folders, kinds, subcommands, subFlags, choice, number] =
      offered(
        ["pdbench", "si"],
        ["pdbench", "simulate", "--policy", "least"],
        ["pdbench", "sweep", "quickstart", "--prefill-"],
        ["pdbench", "simulate", "m"],
        ["pdbench", "report", ""],
        ["pdbench", "list", "p"],
        ["pdbench", "trace", ""],
        ["pdbench", "trace", "stats", "--lr"],
        ["pdbench", "sweep", "--executor", "=", "bull"],
        ["pdbench", "simulate", "--requests", ""],
      );
    expect(commands).toEqual(["simulate"]);
    expect(policies!.toSorted()).toEqual(["least_estimated_ttft", "least_loaded"]);
    expect(flags!.toSorted()).toEqual(["--prefill-policy", "--prefill-workers"]);
    expect(scenario!.toSorted()).toEqual(["mine.yaml", "mooncake-figure-10", "mooncake-figure-15"]);
    expect(folders).toEqual(["runs"]);
    expect(kinds!.toSorted()).toEqual(["policies", "presets", "profiles"]);
    expect(subcommands).toEqual(["stats", "convert", "generate"]);
    expect(subFlags).toEqual(["--lru"]);
    expect(choice).toEqual(["bullmq"]);
    expect(number ?? []).toEqual([]);
  });
});

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

  // zsh and fish are not on the machines that test this: only what their scripts say is looked at.
  it("tell zsh what completes a flag, a value and an argument", () => {
    const script = completionScript("zsh", tree);
    expect(script).toMatch(/^#compdef pdbench\n/);
    expect(script).toMatch(/"simulate --policy"[^\n]*\) compadd -- random round_robin/);
    expect(script).toMatch(/"simulate --out"[^\n]*\) _files -\/; return ;;/);
    expect(script).toContain('    "trace stats") _files ;;');
    expect(quotesOf(script) % 2).toBe(0);
  });

  it("tell fish the same, one line each", () => {
    const lines = completionScript("fish", tree).trimEnd().split("\n").slice(1);
    for (const line of lines) expect(line).toMatch(/^complete -c pdbench /);
    const simulate = "complete -c pdbench -n '__fish_seen_subcommand_from simulate'";
    expect(lines.find((line) => line.startsWith(`${simulate} -l policy `))).toContain(" -x -a 'random ");
    expect(lines).toContain(`${simulate} -l json -d 'print summary.json instead of a table'`);
    const stats = "'__fish_seen_subcommand_from trace; and __fish_seen_subcommand_from stats'";
    expect(lines.some((line) => line.includes(`-n ${stats} -l lru`))).toBe(true);
  });

  it("are refused for a shell that there is none for", async () => {
    const { status, stderr } = await captured(() => runProgram(["completion", "bsh"]));
    expect(stderr).toContain('unknown shell, expected one of bash, zsh, fish, did you mean "bash"?');
    expect(status).toBe(2);
  });
});

function quotesOf(script: string): number {
  return script.replaceAll("'\\''", "").split("'").length - 1;
}
