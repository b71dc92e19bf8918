import { Command, CommanderError } from "commander";
import { InputError, PdbenchError } from "../errors.js";
import { packageVersion } from "../package-info.js";
import { nearestName } from "../values/nearest-name.js";
import { COMMANDS } from "./commands.js";
import { fitHelp, helpWidth } from "./help-text.js";

const EXAMPLES = `
Examples:
  $ pdbench simulate quickstart
  $ pdbench init
  $ pdbench sweep conversation-4p4d --trace mooncake-conversation.jsonl \\
      --routing-threshold 0,2048,8192 --out results
  $ pdbench list policies

\`pdbench COMMAND --help\` has the options of a command, and examples.
`;

/**
 * Runs the command line.
 *
 * @param args what follows the program's name
 * @returns the exit status: 0 done, 1 the work failed, 2 the command line or a file is wrong, 130 interrupted
 */
export async function runProgram(args: readonly string[]): Promise<number> {
  try {
    await runCommand(args[0] === "help" ? [...args.slice(1), "--help"] : args);
    return 0;
  } catch (error) {
    return reportError(error, args);
  }
}

async function runCommand(args: readonly string[]): Promise<void> {
  const program = new Command("pdbench")
    .description("Workbench for the routing layer of prefill/decode disaggregated LLM serving.")
    .usage("COMMAND [options]")
    .version(packageVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .addHelpText("after", EXAMPLES);
  const name = args[0];
  if (name === undefined || name.startsWith("-")) {
    for (const { name, summary } of COMMANDS) program.command(name).description(summary);
  } else {
    const entry = COMMANDS.find((command) => command.name === name);
    if (entry === undefined) throw unknownCommand(name);
    program.addCommand(await entry.load());
  }
  configure(program);
  if (name === undefined) {
    process.stderr.write(`${program.helpInformation()}${EXAMPLES}`);
    throw new InputError("expected a command");
  }
  await program.parseAsync(args, { from: "user" });
}

/** Lets errors of the command line reach `reportError` instead of being printed on the spot; fits help to the terminal. */
function configure(command: Command): void {
  const width = helpWidth(process.stdout.columns);
  command.exitOverride().configureOutput({
    writeErr: () => undefined,
    writeOut: (text) => process.stdout.write(fitHelp(text, width)),
    getOutHelpWidth: () => width,
  });
  for (const subcommand of command.commands) configure(subcommand);
}

function unknownCommand(name: string): InputError {
  const names = COMMANDS.map((command) => command.name);
  const nearest = nearestName(name, names);
  const hint = nearest === null ? `expected one of ${names.join(", ")}` : `did you mean "${nearest}"?`;
  return new InputError(`${name}: unknown command, ${hint}`);
}

/** Prints an error to stderr and returns the exit status it stands for. */
function reportError(error: unknown, args: readonly string[]): number {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? 0 : fail(commandLineProblem(error.message, args), 2);
  }
  if (error instanceof PdbenchError) {
    const excerpt = "excerpt" in error ? `\n${String(error.excerpt)}` : "";
    return fail(`${error.message}${excerpt}`, error.exitCode);
  }
  // The file system says no: a full disk, a folder that may not be written.
  if (error instanceof Error && "syscall" in error) return fail(error.message, 1);
  const stack = error instanceof Error ? error.stack : undefined;
  return fail(`this is a defect of pdbench, please report it\n${stack ?? String(error)}`, 1);
}

/** The command that was called; those of `trace` have two words. */
function commandOf([first = "", second = ""]: readonly string[]): string {
  return first === "trace" && /^[a-z]/.test(second) ? `${first} ${second}` : first;
}

/** What commander says of a wrong command line, as the program's other errors are worded. */
function commandLineProblem(message: string, args: readonly string[]): string {
  const text = message.replace(/^error: /, "");
  const similar = /^([\s\S]*)\n\(Did (.*)\)$/.exec(text);
  if (similar !== null) return `${similar[1]!}, did ${similar[2]!}`;
  const choice =
    /^option '(?:-\w, )?(--[\w-]+).*' argument '(.*)' is invalid\. Allowed choices are (.*)\.$/.exec(text);
  if (choice !== null) {
    const [, flag, value, choices] = choice;
    return `${flag!}: got ${value!}, expected ${choices!.replace(/, (?=[^,]*$)/, " or ")}`;
  }
  return `${text.replace(/\.$/, "")}, see pdbench ${commandOf(args)} --help`;
}

function fail(message: string, exitCode: number): number {
  process.stderr.write(`pdbench: ${message}\n`);
  return exitCode;
}
