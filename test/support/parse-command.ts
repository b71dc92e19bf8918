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
  command.exitOverride().action(() => undefined);
  return command.parse(args.slice(1), { from: "user" });
}
