import { Command } from "commander";
import { InputError } from "../errors.js";
import { parseSetFlag, parseValue } from "../scenario/overrides.js";
import { didYouMean } from "../values/nearest-name.js";
import { COMMON_PARAMETERS, DEFAULT_REQUESTS, generateWorkload } from "../workload/generate-workload.js";
import { generator, GENERATORS } from "../workload/generators/generators.js";
import type { ParameterSpec } from "../workload/generators/parameters.js";
import type { RawTrace } from "../workload/raw-trace.js";
import { readTrace } from "../workload/read-trace.js";
import { DEFAULT_LRU_CAPACITIES, traceStats } from "../workload/trace-stats.js";
import { traceStatsText } from "../workload/trace-stats-text.js";
import { writeTrace } from "../workload/write-trace.js";

const EXAMPLES = `
Examples:
  $ pdbench trace stats mooncake-conversation.jsonl --lru 1000,10000
  $ pdbench trace convert azure-2023-conv.csv --out azure.jsonl.gz
  $ pdbench trace generate --kind multi_turn_chat --requests 10000 --set turns_mean=8 --out chat.jsonl
`;

const STATS_EXAMPLES = `
A hit is the leading run of a prompt's blocks that are in the cache when the request arrives; its
blocks are put in right after. One pool for all requests, prompt blocks only, in order of arrival.

Examples:
  $ pdbench trace stats mooncake-conversation.jsonl
  $ pdbench trace stats mooncake-conversation.jsonl --lru 1000,10000 --json
`;

const CONVERT_EXAMPLES = `
Examples:
  $ pdbench trace convert azure-2023-conv.csv --out azure.jsonl
  $ pdbench trace convert mooncake-conversation.jsonl --requests 1000 --out first-1000.jsonl.gz
`;

const GENERATE_EXAMPLES = `
Examples:
  $ pdbench trace generate --kind best_of_n --requests 800 --set samples=16 --out groups.jsonl
  $ pdbench trace generate --kind mixed --set rate=20 --set best_of_n.samples=4 --out mixed.jsonl.gz
  $ pdbench trace generate --kind multi_turn_chat --parameters
`;

const SUBCOMMANDS = ["stats", "convert", "generate"];

/** `pdbench trace stats|convert|generate`. */
export function traceCommand(): Command {
  return new Command("trace")
    .description("Looks at request traces, converts and generates them.")
    .addHelpText("after", EXAMPLES)
    .argument("[subcommand]")
    .usage("stats|convert|generate [options]")
    .action((subcommand: string | undefined) => {
      const hint = subcommand === undefined ? "" : didYouMean(subcommand, SUBCOMMANDS);
      const what = subcommand === undefined ? "trace" : `trace ${subcommand}`;
      throw new InputError(`${what}: expected ${SUBCOMMANDS.join(", ")}${hint}`);
    })
    .addCommand(statsCommand())
    .addCommand(convertCommand())
    .addCommand(generateCommand());
}

interface ReadFlags {
  readonly traceFormat: string;
  readonly requests?: number;
  readonly skipBadLines?: true;
}

function statsCommand(): Command {
  const command = new Command("stats")
    .description("Lengths, rates, sharing and exact prefix-hit ratios of a trace.")
    .argument("<file>", "trace (JSONL or CSV, .gz accepted)");
  return withReadFlags(command)
    .option("--lru <blocks>", "capacities of LRU caches, in blocks of the trace: A,B,C", capacities)
    .option("--json", "print one JSON document")
    .addHelpText("after", STATS_EXAMPLES)
    .action(async (file: string, flags: ReadFlags & { lru?: readonly number[]; json?: true }) => {
      const stats = traceStats(await read(file, flags), flags.lru ?? DEFAULT_LRU_CAPACITIES);
      process.stdout.write(
        flags.json === true ? `${JSON.stringify(stats, null, 2)}\n` : traceStatsText(stats),
      );
    });
}

function convertCommand(): Command {
  const command = new Command("convert")
    .description("Writes a trace of any known format in the pdbench format.")
    .argument("<file>", "trace (JSONL or CSV, .gz accepted)");
  return withReadFlags(command)
    .requiredOption("--out <file>", "file to write; packed if its name ends in .gz")
    .addHelpText("after", CONVERT_EXAMPLES)
    .action(async (file: string, flags: ReadFlags & { out: string }) => {
      await write(await read(file, flags), flags.out);
    });
}

interface GenerateFlags {
  readonly kind: string;
  readonly requests: number;
  readonly seed: number;
  readonly set: readonly string[];
  readonly out?: string;
  readonly parameters?: true;
}

function generateCommand(): Command {
  const kinds = GENERATORS.map(({ name, summary }) => `  ${name.padEnd(22)}${summary}`).join("\n");
  return new Command("generate")
    .description("Writes synthetic requests in the pdbench format.")
    .requiredOption("--kind <name>", "kind of traffic")
    .option("--requests <n>", "how many requests", wholeNumber("--requests", 1), DEFAULT_REQUESTS)
    .option("--seed <n>", "seed of everything random", wholeNumber("--seed", 0), 1)
    .option("--set <name=value>", "a parameter of the kind; may be repeated", collect, [])
    .option("--parameters", "list the parameters of the kind instead")
    .option("--out <file>", "file to write; packed if its name ends in .gz")
    .addHelpText("after", `\nKinds:\n${kinds}\n${GENERATE_EXAMPLES}`)
    .action(async (flags: GenerateFlags) => {
      if (flags.parameters === true) {
        process.stdout.write(parameterList(flags.kind));
        return;
      }
      const trace = generateWorkload(flags.kind, parametersIn(flags.set), flags);
      if (flags.out === undefined) throw new InputError("--out: expected the file to write");
      await write(trace, flags.out);
    });
}

function withReadFlags(command: Command): Command {
  return command
    .option("--trace-format <name>", "format (pdbench list trace-formats)", "auto")
    .option("--requests <n>", "the first N requests only", wholeNumber("--requests", 1))
    .option("--skip-bad-lines", "pass over lines that cannot be read, and count them");
}

async function read(file: string, { traceFormat, requests, skipBadLines }: ReadFlags): Promise<RawTrace> {
  return readTrace(file, {
    format: traceFormat,
    skipBadLines: skipBadLines === true,
    ...(requests !== undefined && { limit: requests }),
  });
}

async function write(trace: RawTrace, path: string): Promise<void> {
  await writeTrace(trace, path);
  for (const note of trace.notes) process.stderr.write(`note: ${note}\n`);
  process.stderr.write(`wrote ${trace.count} requests to ${path}\n`);
}

function parametersIn(assignments: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    assignments.map((assignment) => {
      const { setting, text } = parseSetFlag(assignment);
      return [setting, parseValue(text, `--set ${setting}`)];
    }),
  );
}

function parameterList(kind: string): string {
  const lines = [...COMMON_PARAMETERS, ...generator(kind).parameters].map((parameter) => {
    const unit = parameter.unit === "" ? "" : ` ${parameter.unit}`;
    return `${parameter.name}=${parameter.default}${unit}  (${range(parameter)})\n    ${parameter.summary}\n`;
  });
  return lines.join("");
}

function range({ type, min, max, values }: ParameterSpec): string {
  return type === "enum" ? values!.join(", ") : `${min!} to ${max!}`;
}

function collect(value: string, earlier: readonly string[]): readonly string[] {
  return [...earlier, value];
}

function wholeNumber(flag: string, minimum: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (Number.isSafeInteger(value) && value >= minimum) return value;
    throw new InputError(`${flag}: got ${text}, expected a whole number of at least ${minimum}`);
  };
}

function capacities(text: string): readonly number[] {
  return text.split(",").map((part) => wholeNumber("--lru", 1)(part.trim()));
}
