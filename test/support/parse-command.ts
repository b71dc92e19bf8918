import type { Command } from "commander";
import { COMMANDS } from "../../src/cli/commands.js";

/**
 * Parses a command line as the program does, and does nothing.
 *
 * @throws where the program would refuse it
 */
export async function parseCommand(args: readonly string[]): Promise<Command> {
  const entry = COMMANDS.find(({ name }) => name === args[0]);
  if (entry === undefined) throw new Error(`${args[0] ?? "nothing"} is no command`);
  const command = await entry.load();
  for (const each of [command, ...command.commands]) {
    each.exitOverride().configureOutput({ writeErr: () => undefined });
    each.action(() => undefined);
  }
  return command.parse(args.slice(1), { from: "user" });
}

/**
 * The arguments of every command line of a text that begins as `program` says: long lines put together, without
 * comments, remarks after two spaces, redirections, and quotes.
 */
export function commandLines(text: string, program: RegExp): string[][] {
  return text
    .replaceAll(/ *\\\n */g, " ")
    .split("\n")
    .flatMap((line) => {
      const trimmed = line.trim();
      const found = program.exec(trimmed);
      if (found === null) return [];
      const command = trimmed.slice(found[0].length).replace(/ {2,}.*$| #.*$| > \S+$| &$/, "");
      return [(command.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replace(/^"(.*)"$/, "$1"))];
    });
}
