import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runProgram } from "../../src/cli/program.js";
import { typedSettings } from "../../src/cli/override-flags.js";
import { findScenario, shippedScenarios } from "../../src/scenario/load.js";
import { planRun, planSweep } from "../../src/sweep/plan.js";
import { captured } from "../support/captured.js";
import { commandLines, parseCommand } from "../support/parse-command.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const pages = [
  "README.md",
  ...["docs", "docs/howto"].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith(".md"))
      .map((name) => `${folder}/${name}`),
  ),
];

/** Every `pdbench` line of the page's fenced blocks. */
const linesOf = (page: string): string[][] =>
  [...readFileSync(join(root, page), "utf8").matchAll(/^```\w*\n([\s\S]*?)^```$/gm)].flatMap(([, block]) =>
    commandLines(block!, /^(?:\w+=\S+ )?(?:npx )?pdbench /),
  );

const COMMANDS = pages.flatMap((page) => linesOf(page).map((args) => [page, args.join(" "), args] as const));

describe("the commands of README and docs", () => {
  it("are many", () => expect(COMMANDS.length).toBeGreaterThan(50));

  it.each(COMMANDS)("%s: pdbench %s", async (_, __, args) => {
    const command = await parseCommand(args);
    const [scenario] = command.args;
    const isShipped = scenario !== undefined && nameOf(scenario) !== null;
    if (!isShipped || !["simulate", "sweep", "optimize", "regret"].includes(args[0]!)) return;
    const source = findScenario(nameOf(scenario));
    const typed = typedSettings(command).filter(({ setting }) => setting !== "profile");
    if (args[0] === "simulate") {
      expect(planRun(source, typed).warnings).toEqual([]);
      return;
    }
    const plan = planSweep(source, typed, null);
    expect(plan.warnings).toEqual([]);
  });
});

/** The name of a scenario that ships, also where its file is named. */
function nameOf(scenario: string): string | null {
  const name = scenario.replace(/^scenarios\/(.*)\.yaml$/, "$1");
  return shippedScenarios().some((shipped) => shipped.name === name) ? name : null;
}

describe("commands of the how-to pages that need nothing", () => {
  const folder = mkdtempSync(join(tmpdir(), "pdbench-docs-"));
  const before = process.cwd();
  beforeAll(() => process.chdir(folder));
  afterAll(() => {
    process.chdir(before);
    rmSync(folder, { recursive: true, force: true });
  });

  const howto = (page: string): string[][] => linesOf(`docs/howto/${page}.md`);

  it("take a newcomer from a trace to a scenario, a run and its explanation", async () => {
    const printed = [...howto("pick-a-threshold"), ...howto("compare-routers")];
    const first = (begin: string): string[] => printed.find((args) => args.join(" ").startsWith(begin))!;
    const small = (args: readonly string[]): string[] =>
      args.map((word, index) => (args[index - 1] === "--requests" ? "60" : word));
    for (const args of [
      small(first("trace generate")),
      first("trace stats my-trace.jsonl"),
      first("init --yes --trace my-trace.jsonl --profile"),
      first("list presets"),
      first("init --yes --trace my-trace.jsonl --find preset"),
      first("simulate routers.yaml"),
      first("explain out/run"),
    ]) {
      const { status, stderr } = await captured(() => runProgram(args));
      expect({ args, status, stderr: status === 0 ? "" : stderr }).toEqual({ args, status: 0, stderr: "" });
    }
    expect(existsSync("out/run/decisions.jsonl")).toBe(true);
  });
});

/** Targets of a page's links to files, from the root of the repository. */
function linksOf(page: string): string[] {
  const text = readFileSync(join(root, page), "utf8");
  return [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)(?:#[^)\s]*)?\)/g)].map(([, link]) =>
    join(dirname(page), link!),
  );
}

describe("links of README and docs", () => {
  it.each(pages)("%s: go somewhere", (page) => {
    expect(linksOf(page).filter((link) => !existsSync(join(root, link)))).toEqual([]);
  });

  it("lead from the README to every page", () => {
    const reached = new Set(["README.md"]);
    for (const page of reached) {
      for (const link of linksOf(page)) if (pages.includes(link)) reached.add(link);
    }
    expect(pages.filter((page) => !reached.has(page))).toEqual([]);
  });
});
