import { writeFileSync } from "node:fs";
import { Command, Option } from "commander";
import { CONFORMANCE_CASES } from "../conformance/cases/all-cases.js";
import type { ConformanceCase } from "../conformance/conformance-case.js";
import { KIT_DIALECTS } from "../conformance/dialects/kit-dialects.js";
import type { Setup } from "../conformance/exchange.js";
import { junitXml } from "../conformance/junit.js";
import { startRouter, type RouterProcess } from "../conformance/router-process.js";
import {
  runCases,
  startFleet,
  tallyLine,
  tallyOf,
  waitUntilServing,
  type CaseResult,
  type KitFleet,
} from "../conformance/run-kit.js";
import { InputError, WorkError } from "../errors.js";
import { styleFor, terminalOptionsOf } from "../report/terminal-style.js";
import { wrap } from "../report/text-table.js";
import { nearestName } from "../values/nearest-name.js";
import { numberFlag, wholeNumberFlag } from "./number-flags.js";

const EXAMPLES = `
The kit starts mock engines that keep every byte they are sent, sends a table of requests through the router, and says
of each what a router must do, whether this one does, and what was seen on the wire. Exit status 1 if a case failed.

The router must send every request to a prefill and a decode worker (no threshold). Two ways to attach it:
--command starts it, with {port} for where it listens and for the engines {prefill} (URLs, spaces between), {prefill,}
(commas), {prefill0}, {prefill1} ..., {prefill0.port} ..., the same for decode; --url names one that runs already, in front
of engines at --base-port and the ports behind it, prefill first.

Examples:
  $ pdbench conformance --command "pdbench proxy --port {port} --prefill {prefill} --decode {decode} --policy round_robin"
  $ pdbench conformance --command "vllm-router --vllm-pd-disaggregation --port {port} --prefill {prefill0} none \\
      --prefill {prefill1} none --decode {decode0} --decode {decode1} --policy round_robin" --junit out/conformance.xml
  $ pdbench conformance --url http://127.0.0.1:30000 --base-port 8100
  $ pdbench conformance --list
`;

interface ConformanceFlags {
  readonly url?: string;
  readonly command?: string;
  readonly dialect: string;
  readonly host: string;
  readonly basePort: number;
  readonly prefillWorkers: number;
  readonly decodeWorkers: number;
  readonly dataParallelSize: number;
  readonly expectSessionAffinity?: true;
  readonly model: string;
  readonly only: readonly string[];
  readonly timeout: number;
  readonly readyTimeout: number;
  readonly list?: true;
  readonly json?: true;
  readonly junit?: string;
  readonly verbose?: true;
}

/** `pdbench conformance`: does a router speak prefill/decode as engines and clients expect it to? */
export function conformanceCommand(): Command {
  return new Command("conformance")
    .description("Holds any prefill/decode router against a table of cases, seen from both of its sides.")
    .optionsGroup("Router:")
    .option(
      "--command <COMMAND>",
      "shell command that starts the router; {port}, {prefill}, {decode} are filled in",
    )
    .option("--url <URL>", "a router that runs already")
    .option("--expect-session-affinity", "the router keeps the requests of a session together: check that")
    .option(
      "--data-parallel-size <N>",
      "the router was told of N ranks behind each engine: check their headers",
      wholeNumberFlag("--data-parallel-size", 1),
      1,
    )
    .option(
      "--ready-timeout <SECONDS>",
      "how long the router may take to serve",
      numberFlag("--ready-timeout", "positive"),
      60,
    )
    .optionsGroup("Engines:")
    .addOption(
      new Option("--dialect <NAME>", "how KV gets to decode workers")
        .choices(KIT_DIALECTS.map(({ name }) => name))
        .default("nixl"),
    )
    .option("--prefill-workers <N>", "mock prefill engines", wholeNumberFlag("--prefill-workers", 1), 2)
    .option("--decode-workers <N>", "mock decode engines", wholeNumberFlag("--decode-workers", 1), 2)
    .option("--host <HOST>", "address of the engines", "127.0.0.1")
    .option(
      "--base-port <PORT>",
      "port of the first engine, the others follow; 0 = any",
      wholeNumberFlag("--base-port", 0),
      0,
    )
    .option("--model <NAME>", "model that the engines serve and requests name", "conformance")
    .optionsGroup("Cases and output:")
    .option("--only <CASE...>", "run these cases, or groups such as `errors`")
    .option(
      "--timeout <SECONDS>",
      "longest wait for something that must happen",
      numberFlag("--timeout", "positive"),
      10,
    )
    .option("--list", "print the cases and their rules, and run nothing")
    .option("--json", "print one JSON document")
    .option("--junit <FILE>", "write JUnit XML too")
    .option("--verbose", "show the wire of every case, not of failed ones only")
    .addHelpText("after", EXAMPLES)
    .action(conformance);
}

async function conformance(flags: ConformanceFlags): Promise<void> {
  const cases = chosenCases(flags.only);
  if (flags.list === true) {
    process.stdout.write(flags.json === true ? listJson(cases) : listText(cases));
    return;
  }
  if ((flags.url === undefined) === (flags.command === undefined)) {
    throw new InputError("expected either --command, to start the router, or --url, of one that runs");
  }
  if (flags.url !== undefined && flags.basePort === 0) {
    throw new InputError("--url: the router must know where the engines are, expected --base-port");
  }
  const results = await attachAndRun(flags, cases);
  if (flags.junit !== undefined)
    writeFileSync(flags.junit, junitXml(`pdbench conformance (${flags.dialect})`, results));
  if (flags.json === true) process.stdout.write(resultsJson(flags, results));
  else process.stdout.write(`\n${tallyLine(results)}\n`);
  const { failed } = tallyOf(results);
  if (failed > 0) throw new WorkError(`${failed} of ${results.length} cases failed`);
}

async function attachAndRun(
  flags: ConformanceFlags,
  cases: readonly ConformanceCase[],
): Promise<CaseResult[]> {
  const dialect = KIT_DIALECTS.find(({ name }) => name === flags.dialect)!;
  const fleet = await startFleet({ ...flags, dialect });
  process.stderr.write(fleet.engines.map(({ name, url }) => `pdbench: ${name} listens on ${url}\n`).join(""));
  let router: RouterProcess | null = null;
  try {
    if (flags.command !== undefined) router = await startRouter(flags.command, fleet.engines);
    const setup = setupOf(flags, fleet, router?.url ?? flags.url!, dialect);
    await serving(setup, router, flags.readyTimeout * 1000);
    return await runCases(
      cases,
      setup,
      flags.json === true ? undefined : resultPrinter(flags.verbose === true),
    );
  } finally {
    await router?.stop();
    await fleet.close();
  }
}

function setupOf(
  flags: ConformanceFlags,
  { engines, wire }: KitFleet,
  url: string,
  dialect: Setup["dialect"],
): Setup {
  return {
    url,
    dialect,
    engines,
    wire,
    model: flags.model,
    timeoutMs: flags.timeout * 1000,
    dataParallelSize: flags.dataParallelSize,
    expectsAffinity: flags.expectSessionAffinity === true,
  };
}

/** Waits for the router; where it does not come, its own words say why. */
async function serving(setup: Setup, router: RouterProcess | null, readyTimeoutMs: number): Promise<void> {
  try {
    await waitUntilServing(setup, readyTimeoutMs, () => router?.hasEnded() === true);
  } catch (error) {
    if (router === null || !(error instanceof WorkError)) throw error;
    const said = router.output().trim();
    throw new WorkError(`${error.message}\nits output ends:\n${said === "" ? "(nothing)" : said}`);
  }
}

/** @throws InputError for a name that is neither a case nor a group */
function chosenCases(only: readonly string[] | undefined): readonly ConformanceCase[] {
  if (only === undefined) return CONFORMANCE_CASES;
  const matches =
    (wanted: string) =>
    ({ name }: ConformanceCase) =>
      name === wanted || name.startsWith(`${wanted}/`);
  for (const wanted of only) {
    if (CONFORMANCE_CASES.some(matches(wanted))) continue;
    const nearest = nearestName(
      wanted,
      CONFORMANCE_CASES.map(({ name }) => name),
    );
    throw new InputError(
      `--only: there is no case ${wanted}, ${nearest === null ? "see --list" : `did you mean "${nearest}"?`}`,
    );
  }
  return CONFORMANCE_CASES.filter((one) => only.some((wanted) => matches(wanted)(one)));
}

function listText(cases: readonly ConformanceCase[]): string {
  const width = Math.max(...cases.map(({ name }) => name.length)) + 2;
  const lines = cases.flatMap(({ name, rule }) =>
    wrap(rule, 100 - width).map((line, i) => (i === 0 ? name : "").padEnd(width) + line),
  );
  return `${lines.join("\n")}\n`;
}

function listJson(cases: readonly ConformanceCase[]): string {
  return `${JSON.stringify(
    cases.map(({ name, rule }) => ({ name, rule })),
    null,
    2,
  )}\n`;
}

const MARKS = { passed: "pass", warned: "warn", failed: "FAIL", skipped: "skip" } as const;
const INDENT = "      ";

/** Prints each case as it ends. */
function resultPrinter(isVerbose: boolean): (result: CaseResult) => void {
  const terminal = terminalOptionsOf(process.stdout, process.env);
  const style = styleFor(terminal);
  const paint = { passed: style.good, warned: style.bold, failed: style.bold, skipped: style.dim };
  return ({ name, rule, verdict, reasons, notes, wire }) => {
    const lines = [...wrap(`${paint[verdict](MARKS[verdict])}  ${name}: ${rule}`, 100, INDENT)];
    for (const text of [...reasons, ...notes]) lines.push(...indented(`- ${text}`));
    if (verdict === "failed" || isVerbose) lines.push(...wire.map((line) => style.dim(`${INDENT}| ${line}`)));
    process.stdout.write(`${lines.join("\n")}\n`);
  };
}

function indented(text: string): string[] {
  return wrap(text, 100 - INDENT.length, "  ").map((line) => INDENT + line);
}

function resultsJson({ dialect, url, command }: ConformanceFlags, results: readonly CaseResult[]): string {
  const document = {
    schema: "pdbench/conformance@1",
    router: url ?? command,
    dialect,
    tally: tallyOf(results),
    cases: results.map(({ durationMs, ...result }) => ({ ...result, duration_ms: durationMs })),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
