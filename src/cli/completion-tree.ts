import type { Argument, Command, Option } from "commander";
import { PROFILES } from "../engine/builtin-profile.js";
import { EMIT_TARGETS } from "../report/emit/targets.js";
import { METRIC_NAMES } from "../report/metrics.js";
import { DECIDERS, POLICIES, PRESETS } from "../routing/registry.js";
import { shippedScenarios } from "../scenario/load.js";
import { FINDS } from "../scenario/starter-questions.js";
import { TRACE_FORMATS } from "../workload/formats/trace-formats.js";
import { GENERATORS } from "../workload/generators/generators.js";
import type { CommandEntry } from "./commands.js";
import { LIST_KINDS } from "./list.js";

/** What a value can be completed with: some words, and files or folders; `free` values cannot be. */
export interface Completion {
  readonly words: readonly string[];
  readonly paths: "files" | "folders" | "none";
}

export interface CompletionFlag {
  /** With its dashes, e.g. `--policy`. */
  readonly name: string;
  readonly summary: string;
  /** Null for a flag that takes no value. */
  readonly value: Completion | null;
}

/** A command, or a command and its subcommand, as the shells complete it. */
export interface CompletionCommand {
  /** `simulate`, `trace stats`. */
  readonly path: string;
  readonly summary: string;
  readonly flags: readonly CompletionFlag[];
  /** What stands for itself, beside flags. */
  readonly argument: Completion | null;
}

/** Every command of the program with its flags, read off the commands themselves. */
export async function completionTree(entries: readonly CommandEntry[]): Promise<CompletionCommand[]> {
  const tree: CompletionCommand[] = [];
  for (const { name, summary, load } of entries) {
    const command = await load();
    const subcommands = command.commands.map((sub) => sub.name());
    const own = describe(command, name, summary);
    tree.push(subcommands.length === 0 ? own : { ...own, argument: { words: subcommands, paths: "none" } });
    for (const sub of command.commands) tree.push(describe(sub, `${name} ${sub.name()}`, sub.description()));
  }
  return tree;
}

function describe(command: Command, path: string, summary: string): CompletionCommand {
  const flags = command.options
    .filter(({ hidden, long }) => !hidden && long !== undefined)
    .map((option) => ({
      name: option.long!,
      summary: firstPart(option.description),
      value: option.required || option.optional ? completionOf(option) : null,
    }));
  const argument = command.registeredArguments[0];
  return {
    path,
    summary,
    flags: [...flags, { name: "--help", summary: "display help for command", value: null }],
    argument: argument === undefined ? null : argumentCompletion(path, argument),
  };
}

const NAMES = (list: readonly { readonly name: string }[]): string[] => list.map(({ name }) => name);

/** Values that a flag's help only refers to, by the flag. */
const WORDS: Readonly<Record<string, () => readonly string[]>> = {
  "--policy": () => NAMES(POLICIES),
  "--prefill-policy": () => NAMES(POLICIES),
  "--decode-policy": () => NAMES(POLICIES),
  "--decider": () => NAMES(DECIDERS),
  "--preset": () => NAMES(PRESETS),
  "--trace-format": () => ["auto", ...NAMES(TRACE_FORMATS)],
  "--kind": () => NAMES(GENERATORS),
  "--find": () => FINDS,
  "--emit": () => NAMES(EMIT_TARGETS),
  "--objective": () => METRIC_NAMES,
};

function completionOf(option: Option): Completion {
  const { argChoices, long } = option;
  if (argChoices !== undefined) return { words: argChoices, paths: "none" };
  if (long === "--profile") return { words: NAMES(PROFILES), paths: "files" };
  if (long === "--scenario") return { words: NAMES(shippedScenarios()), paths: "files" };
  const words = WORDS[long ?? ""];
  if (words !== undefined) return { words: words(), paths: "none" };
  return { words: [], paths: pathsOf(option.flags) };
}

/** Placeholders tell what a value is: `--out <DIR>`. */
function pathsOf(flags: string): Completion["paths"] {
  if (/[<[](DIR|dir)[.\]>]/.test(flags)) return "folders";
  return /[<[](FILE|file)[.\]>]/.test(flags) ? "files" : "none";
}

function argumentCompletion(path: string, argument: Argument): Completion {
  const name = argument.name();
  if (name === "scenario") return { words: NAMES(shippedScenarios()), paths: "files" };
  if (path === "list") return { words: LIST_KINDS, paths: "none" };
  if (argument.argChoices !== undefined) return { words: argument.argChoices, paths: "none" };
  if (/^(dir|run|shard)/i.test(name)) return { words: [], paths: "folders" };
  return { words: [], paths: /file|trace/i.test(name) ? "files" : "none" };
}

/** The first part of a help text: shells show one short line. */
function firstPart(text: string): string {
  return text.split(/[;,(]/)[0]!.trim();
}
