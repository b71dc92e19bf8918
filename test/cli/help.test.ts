import type { Command } from "commander";
import { beforeAll, describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/commands.js";
import { fitHelp } from "../../src/cli/help-text.js";
import { runProgram } from "../../src/cli/program.js";
import { captured } from "../support/captured.js";
import { commandLines, parseCommand } from "../support/parse-command.js";

/** Every command and subcommand by its path, loaded once. */
const loaded = new Map<string, Command>();
beforeAll(async () => {
  for (const { name, load } of COMMANDS) {
    const command = await load();
    loaded.set(name, command);
    for (const sub of command.commands) loaded.set(`${name} ${sub.name()}`, sub);
  }
});
const PATHS = [...COMMANDS.map(({ name }) => name), "trace stats", "trace convert", "trace generate"];

describe("pdbench COMMAND --help", () => {
  it.each(PATHS)("%s: fits, and has examples that the program takes", async (path) => {
    const { status, stdout, stderr } = await captured(() => runProgram([...path.split(" "), "--help"]));
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout.split("\n").filter((line) => line.length > 100)).toEqual([]);
    const examples = stdout.slice(stdout.indexOf("\nExamples:\n"));
    expect(examples).toMatch(/^\nExamples:\n {2}\$ /);
    const lines = commandLines(examples.replaceAll(/^ {2}\$ /gm, ""), /^(?:[A-Z_]+=\S+ )?pdbench /);
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.some((line) => line.join(" ").startsWith(path.split(" ")[0]!))).toBe(true);
    for (const line of lines) await parseCommand(line);
  });

  it("of a wrong command line is pointed at", async () => {
    const unknown = await captured(() => runProgram(["simulate", "quickstart", "--zzz"]));
    expect(unknown.stderr).toBe("pdbench: unknown option '--zzz', see pdbench simulate --help\n");
    const missing = await captured(() => runProgram(["trace", "stats"]));
    expect(missing.stderr).toBe(
      "pdbench: missing required argument 'file', see pdbench trace stats --help\n",
    );
  });
});

/** Flags that take any text: a file, a URL, a name that is checked with all others, a list. */
const isFreeText = (flag: string): boolean => ["--set", "--header", "--knob"].includes(flag);

describe("the error for a flag's bad value", () => {
  it("names the flag, the value and what was expected, for every flag that is checked at once", () => {
    let checked = 0;
    for (const [path, command] of loaded) {
      for (const { long, parseArg, required, defaultValue } of command.options) {
        if (parseArg === undefined || !required || isFreeText(long!)) continue;
        let message = "";
        try {
          parseArg("@bad@", defaultValue);
        } catch (error) {
          message = (error as Error).message;
        }
        if (message === "") continue;
        checked++;
        // commander's own words; the program puts flag and value before them, as the table below says.
        if (message.startsWith("Allowed choices are ")) continue;
        expect(`${path}: ${message}`).toMatch(/@bad@.*expected|expected.*@bad@/);
        expect(`${path}: ${message}`).toContain(long!);
      }
    }
    expect(checked).toBeGreaterThan(40);
  });

  it.each([
    [["sweep", "--executor", "remote"], "--executor: got remote, expected local or bullmq"],
    [
      ["conformance", "--dialect", "nxl"],
      "--dialect: got nxl, expected nixl, nixl_push, lmcache, mooncake or sglang",
    ],
    [["trace", "generate", "--kind", "chat", "--out", "x"], 'generator "chat" is unknown, expected'],
    [["report", "nowhere", "--format", "pdf"], '--format "pdf": unknown format, expected any of'],
    [["simulate", "quickstart", "--rate", "fast"], '--rate: "fast": expected'],
    [["trace", "stats"], "missing required argument 'file'"],
    [["validate"], "required option '--run <dir>' not specified"],
  ])("%j", async (args, message) => {
    const { status, stderr } = await captured(() => runProgram(args));
    expect(stderr).toContain(message);
    expect(status).toBe(2);
  });
});

describe("help text", () => {
  it.each([
    ["fills a paragraph again", "one two three\nfour five", "one two\nthree four\nfive", 10],
    [
      "wraps a list entry below its text",
      "  --a   one two three four",
      "  --a   one two\n        three four",
      18,
    ],
    [
      "continues a command",
      "  $ pdbench sweep quickstart --out x",
      "  $ pdbench sweep \\\n      quickstart --out \\\n      x",
      24,
    ],
    [
      "puts a remark below its command",
      "  $ pdbench list x  names of all",
      "  $ pdbench list x\n      names of all",
      26,
    ],
    ["leaves alone what fits", "a\n b\n\n  $ c \\\n      d", "a\n b\n\n  $ c \\\n      d", 20],
  ])("%s", (_, text, expected, width) => expect(fitHelp(text, width)).toBe(expected));
});
