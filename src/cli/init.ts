import { existsSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { createInterface } from "node:readline";
import { Command } from "commander";
import { InputError, InterruptedError } from "../errors.js";
import { packageRoot } from "../package-info.js";
import { isProfileFile } from "../scenario/profiles.js";
import { parseScenarioSource } from "../scenario/scenario-source.js";
import {
  STARTER_QUESTIONS,
  type StarterAnswers,
  type StarterQuestion,
} from "../scenario/starter-questions.js";
import { starterYaml } from "../scenario/starter-yaml.js";
import { planRun, planSweep } from "../sweep/plan.js";
import { readTrace } from "../workload/read-trace.js";

const EXAMPLES = `
Asks a few questions, each with an answer that an empty line takes, and writes a scenario with
comments. Every question is also a flag, and what a flag answers is not asked.

Examples:
  $ pdbench init
  $ pdbench init --yes --trace my-trace.jsonl --profile llama-3.1-70b-h100-tp4-fp8
  $ pdbench init --yes --find preset --prefill-workers 2 --decode-workers 6 --out routers.yaml
`;

interface InitFlags extends Readonly<Partial<Record<keyof StarterAnswers, string>>> {
  readonly yes?: true;
  readonly out: string;
  readonly force?: true;
}

/** `pdbench init`: a first scenario from a few questions. */
export function initCommand(): Command {
  const command = new Command("init")
    .description("Writes a commented scenario after a few questions.")
    .option("--yes", "ask nothing: take the default of every question that no flag answers")
    .option("--out <FILE>", "the scenario to write", "scenario.yaml")
    .option("--force", "replace FILE if it exists")
    .optionsGroup("Answers:");
  for (const { flag, placeholder, prompt, initial } of STARTER_QUESTIONS) {
    const help = prompt.charAt(0).toLowerCase() + prompt.slice(1);
    command.option(`--${flag} <${placeholder}>`, initial === "" ? help : `${help} (default: ${initial})`);
  }
  return command.addHelpText("after", EXAMPLES).action((flags: InitFlags) => init(flags));
}

async function init(flags: InitFlags): Promise<void> {
  checkTarget(flags);
  const typed = answersOfFlags(flags);
  const answers = await complete(typed, flags.yes === true);
  const text = await scenarioText(answers, flags.out);
  writeFileSync(flags.out, text);
  process.stderr.write(
    `Wrote ${flags.out}. Next:\n` +
      `  pdbench simulate ${flags.out} --check     # after each change: can it be run?\n` +
      `  pdbench simulate ${flags.out}\n` +
      `  pdbench sweep ${flags.out} --out out/${answers.name}\n`,
  );
}

function checkTarget({ out, force }: InitFlags): void {
  if (!existsSync(out)) return;
  if (statSync(out).isDirectory()) {
    throw new InputError(`--out ${out}: is a folder, expected the name of a file to write`);
  }
  if (force !== true) {
    throw new InputError(`--out ${out}: exists already, expected a new name, or --force to replace it`);
  }
}

type Answer = string | number | null;
type Answers = Partial<Record<keyof StarterAnswers, Answer>>;

/** @throws InputError naming the flag, for a value it cannot have, or one that says nothing beside --trace */
function answersOfFlags(flags: InitFlags): Answers {
  const answers: Answers = {};
  for (const question of STARTER_QUESTIONS) {
    const { key, flag } = question;
    const text = flags[key];
    if (text === undefined) continue;
    if (question.ofGenerated === true && (flags.trace ?? "") !== "") {
      throw new InputError(`--${flag}: applies to generated traffic, not with --trace ${flags.trace!}`);
    }
    try {
      answers[key] = question.parse(text);
    } catch (error) {
      throw withFlag(flag, error);
    }
  }
  return answers;
}

/** Asks what is missing, or takes its default. */
async function complete(answers: Answers, yes: boolean): Promise<StarterAnswers> {
  const ask = yes ? null : openTerminal();
  try {
    for (const question of STARTER_QUESTIONS) {
      const { key, initial } = question;
      if (Object.hasOwn(answers, key)) continue;
      const isAsked = ask !== null && !(question.ofGenerated === true && answers.trace !== null);
      answers[key] = isAsked ? await ask.answer(question) : question.parse(initial);
    }
  } finally {
    ask?.close();
  }
  return answers as unknown as StarterAnswers;
}

interface Terminal {
  /** Asks until the answer can be used. @throws InputError where the input ends first, InterruptedError on Ctrl-C */
  answer(question: StarterQuestion): Promise<Answer>;
  close(): void;
}

/** Questions go to stderr, as everything that is no result; answers may also come from a pipe. */
function openTerminal(): Terminal {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // `question` loses lines that a pipe delivers before it is called; the iterator keeps them.
  const typed = lines[Symbol.asyncIterator]();
  let isInterrupted = false;
  lines.once("SIGINT", () => {
    isInterrupted = true;
    lines.close();
  });
  return {
    async answer({ flag, prompt, initial, parse }) {
      for (;;) {
        lines.setPrompt(initial === "" ? `${prompt}: ` : `${prompt} [${initial}]: `);
        lines.prompt();
        const { value, done } = (await typed.next()) as IteratorResult<string, undefined>;
        if (isInterrupted) throw new InterruptedError("interrupted, nothing was written");
        if (done === true) {
          throw new InputError(
            `--${flag}: the input ended before it was answered, expected the flag, or --yes for defaults`,
          );
        }
        try {
          return parse(value.trim() === "" ? initial : value.trim());
        } catch (error) {
          if (!(error instanceof InputError)) throw error;
          process.stderr.write(`  ${error.message}\n`);
        }
      }
    },
    close: () => lines.close(),
  };
}

/** The scenario, tried: it is planned as `simulate` and `sweep` do before it is written. */
async function scenarioText(answers: StarterAnswers, out: string): Promise<string> {
  const { trace, profile } = answers;
  if (trace !== null) {
    await readTrace(trace, { limit: 1 }).catch((error: unknown) => {
      throw withFlag("trace", error);
    });
  }
  const directory = dirname(resolve(out));
  const place = (path: string): string => relative(directory, resolve(path)).replaceAll("\\", "/");
  const schema = place(join(packageRoot(), "scenarios", "scenario.schema.json"));
  const placed = {
    ...answers,
    trace: trace === null ? null : place(trace),
    // With a "/" it is a file, whatever its name ends in.
    profile: isProfileFile(profile) ? place(profile).replace(/^(?!\.)/, "./") : profile,
  };
  const text = starterYaml(placed, schema);
  const source = parseScenarioSource(text, out);
  planRun(source, []);
  planSweep(source, [], null);
  return text;
}

/** The error of a check whose message does not say which flag it is about. */
function withFlag(flag: string, error: unknown): unknown {
  return error instanceof InputError ? new InputError(`--${flag}: ${error.message}`) : error;
}
