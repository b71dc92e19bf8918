import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command, Option } from "commander";
import { request } from "undici";
import { InputError, InterruptedError, WorkError } from "../errors.js";
import { summaryJson } from "../measure/run-files.js";
import { summarize } from "../measure/summarize.js";
import type { Slo, Summary } from "../measure/summary.js";
import { DEFAULT_TOKEN_RANGE, type TokenRange } from "../replay/prompt-tokens.js";
import { Replayer, type ReplayOptions, type ReplayOutcome } from "../replay/replayer.js";
import { ENDPOINTS, PROMPT_FORMS, type Endpoint, type PromptForm } from "../replay/request-body.js";
import { renderSummary } from "../report/render-summary.js";
import { terminalOptionsOf } from "../report/terminal-style.js";
import { findScenario } from "../scenario/load.js";
import type { Override } from "../scenario/overrides.js";
import { resolveScenario } from "../scenario/resolve.js";
import { scenarioToYaml, settingsOf } from "../scenario/to-yaml.js";
import { arrivalOptions } from "../scenario/workload-settings.js";
import { provenanceOf } from "../sweep/fingerprint.js";
import { loadTrace } from "../sweep/load-trace.js";
import { buildWorkload } from "../workload/build-workload.js";
import type { Workload } from "../workload/workload.js";
import { numberFlag, wholeNumberFlag } from "./number-flags.js";
import { replayDisplay } from "./replay-progress.js";
import { checkRunDirectory, writeWholeRunDirectory } from "./run-output.js";

const EXAMPLES = `
Prompts are made up from the trace's block ids, so that they share prefixes exactly as the trace's do. The key in
the environment variable OPENAI_API_KEY is sent, if there is one.

Examples:
  $ pdbench replay conversation.jsonl --url http://127.0.0.1:30000 --requests 500 --rate 4 --out out/live
  $ pdbench replay conversation.jsonl --url http://127.0.0.1:8000 --concurrency 32 --endpoint chat --model my-model
  $ pdbench replay --scenario quickstart --url http://127.0.0.1:30000 --time-scale 0.25
`;

/** When to ask for the ids of tokens: `auto` = of a server that says it is vLLM. */
const TOKEN_IDS = ["auto", "always", "never"] as const;

interface ReplayFlags {
  readonly url: string;
  readonly scenario?: string;
  readonly traceFormat?: string;
  readonly requests?: number;
  readonly rate?: number;
  readonly arrival?: string;
  readonly cv?: number;
  readonly speedup?: number;
  readonly concurrency?: number;
  readonly seed?: number;
  readonly jitter: boolean;
  readonly skipBadLines?: true;
  readonly endpoint: Endpoint;
  readonly prompt: PromptForm;
  readonly model?: string;
  readonly tokenIds: (typeof TOKEN_IDS)[number];
  readonly tokenRange: TokenRange;
  readonly header: Readonly<Record<string, string>>;
  readonly timeScale: number;
  readonly timeout: number;
  readonly numWarmups: number;
  readonly goodput?: readonly string[];
  readonly out?: string;
  readonly json?: true;
}

/** `pdbench replay TRACE --url URL`: sends a workload to a server and measures as simulate does. */
export function replayCommand(): Command {
  const command = new Command("replay")
    .description("Sends a trace to any OpenAI-compatible server and measures what simulate predicts.")
    .argument("[trace]", "trace file; without it, the workload of --scenario")
    .requiredOption("--url <URL>", "server, e.g. http://127.0.0.1:30000");
  addWorkloadFlags(command);
  addRequestFlags(command);
  return command
    .optionsGroup("Results:")
    .option(
      "--goodput <SLO...>",
      "objectives in ms, e.g. ttft:2000 tpot:50 e2el:30000; default: the scenario's",
    )
    .option("--out <DIR>", "write summary.json, scenario.yaml, requests.csv and replay.json there")
    .option("--json", "print summary.json instead of a table")
    .addHelpText("after", EXAMPLES)
    .action((trace: string | undefined, flags: ReplayFlags) => replay(trace, flags));
}

function addWorkloadFlags(command: Command): void {
  const positive = (flag: string) => numberFlag(flag, "positive");
  command
    .optionsGroup("Workload:")
    .option("--scenario <NAME>", "take workload, seed and objectives from a scenario")
    .option("--trace-format <NAME>", "format of the trace; auto looks at its first lines")
    .option("--requests <N>", "the first N requests only", wholeNumberFlag("--requests", 1))
    .option("--rate <RPS>", "re-time arrivals to this many requests per second", positive("--rate"))
    .option("--arrival <PROCESS>", "spacing of re-timed arrivals: poisson, gamma or constant")
    .option("--cv <X>", "coefficient of variation of gamma arrivals", positive("--cv"))
    .option("--speedup <X>", "divide the time between arrivals by X", positive("--speedup"))
    .option("--concurrency <N>", "closed loop with N open requests", wholeNumberFlag("--concurrency", 1))
    .option("--seed <N>", "seed of everything random", wholeNumberFlag("--seed", 0))
    .option("--no-jitter", "keep arrivals on the ticks of a coarse-grained trace")
    .option("--skip-bad-lines", "pass over lines of the trace that cannot be read")
    .option(
      "--time-scale <X>",
      "wall time of one second of the workload, s: that of the mock engines",
      positive("--time-scale"),
      1,
    );
}

function addRequestFlags(command: Command): void {
  command
    .optionsGroup("Requests:")
    .addOption(new Option("--endpoint <NAME>", "where requests go").choices(ENDPOINTS).default("completions"))
    .addOption(
      new Option("--prompt <FORM>", "prompts as token ids or as text").choices(PROMPT_FORMS).default("ids"),
    )
    .option("--model <NAME>", "model to ask for; default: the first that the server lists")
    .addOption(
      new Option(
        "--token-ids <WHEN>",
        "ask for token ids, so that several in one chunk count each (vLLM's return_token_ids)",
      )
        .choices(TOKEN_IDS)
        .default("auto"),
    )
    .option("--token-range <LOW:HIGH>", "token ids that prompts are made of", tokenRange, DEFAULT_TOKEN_RANGE)
    .option("--header <NAME:VALUE>", "sent with every request; may be repeated", header, {})
    .option(
      "--timeout <SECONDS>",
      "a request that takes longer has failed",
      numberFlag("--timeout", "positive"),
      600,
    )
    .option(
      "--num-warmups <N>",
      "requests before the run, with content of their own, that do not count",
      wholeNumberFlag("--num-warmups", 0),
      0,
    );
}

async function replay(trace: string | undefined, flags: ReplayFlags): Promise<void> {
  const scenario = resolveScenario(findScenario(flags.scenario ?? null), overridesOf(trace, flags));
  const scenarioYaml = flags.out === undefined ? "" : scenarioToYaml(scenario, flags.out);
  if (flags.out !== undefined) checkRunDirectory(flags.out, scenarioYaml);
  const slo = flags.goodput === undefined ? scenario.slo : sloOf(flags.goodput);
  const workload = buildWorkload(await loadTrace(scenario), arrivalOptions(scenario.workload), scenario.seed);
  const options = await replayOptions(flags, workload);
  const outcome = await run(options);
  const summary = summarize(outcome.run, {
    scenario: scenario.name,
    provenance: await provenanceOf(scenario),
    settings: { ...settingsOf(scenario), replay: replaySettings(flags, options) },
    slo,
    hitRatesKnown: outcome.areHitsKnown,
    ...(outcome.meanDecisionUs !== null && { meanDecisionUs: outcome.meanDecisionUs }),
  });
  if (flags.out !== undefined) {
    await writeWholeRunDirectory(flags.out, () => ({ run: outcome.run, summary, scenarioYaml }));
    await writeFile(join(flags.out, "replay.json"), replayJson(outcome));
    process.stderr.write(`Written to ${flags.out}\n`);
  }
  print(summary, flags.json === true);
  const { wasInterrupted, sent } = outcome;
  if (wasInterrupted) throw new InterruptedError(`interrupted after ${sent} of ${workload.count} requests`);
}

async function run(options: ReplayOptions): Promise<ReplayOutcome> {
  const display = replayDisplay(process.stderr);
  const interruption = new AbortController();
  const interrupt = () => {
    interruption.abort();
  };
  process.once("SIGINT", interrupt);
  try {
    return await new Replayer(options, (progress) => {
      display.update(progress);
    }).run(interruption.signal);
  } finally {
    process.off("SIGINT", interrupt);
    display.stop();
  }
}

function print(summary: Summary, json: boolean): void {
  process.stdout.write(
    json ? summaryJson(summary) : renderSummary(summary, terminalOptionsOf(process.stdout, process.env)),
  );
}

/** What the run directory says of the client besides the summary. */
function replayJson({ scheduleLagMs, requestedRate, achievedRate, sent, failures }: ReplayOutcome): string {
  const document = {
    schema: "pdbench/replay@1",
    sent,
    schedule_lag_ms: scheduleLagMs,
    requested_rate: requestedRate,
    achieved_rate: achievedRate,
    failures: Object.fromEntries(failures),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function overridesOf(trace: string | undefined, flags: ReplayFlags): Override[] {
  const given: readonly (readonly [setting: string, value: unknown, flag: string])[] = [
    ["trace", trace, "TRACE"],
    ["trace_format", flags.traceFormat, "--trace-format"],
    ["requests", flags.requests, "--requests"],
    ["rate", flags.rate, "--rate"],
    ["workload.arrival", flags.arrival, "--arrival"],
    ["workload.cv", flags.cv, "--cv"],
    ["speedup", flags.speedup, "--speedup"],
    ["workload.concurrency", flags.concurrency, "--concurrency"],
    ["seed", flags.seed, "--seed"],
    ["workload.jitter", flags.jitter ? undefined : false, "--no-jitter"],
    ["workload.skip_bad_lines", flags.skipBadLines, "--skip-bad-lines"],
  ];
  return given
    .filter(([, value]) => value !== undefined)
    .map(([setting, value, source]) => ({ setting, value, source }));
}

async function replayOptions(flags: ReplayFlags, workload: Workload): Promise<ReplayOptions> {
  const { endpoint, prompt, timeScale } = flags;
  if (!URL.canParse(flags.url) || !/^https?:/.test(flags.url)) {
    throw new InputError(`--url ${flags.url}: expected http://HOST:PORT`);
  }
  const key = process.env["OPENAI_API_KEY"];
  const headers = { ...(key !== undefined && { authorization: `Bearer ${key}` }), ...flags.header };
  const { model, isVllm } = await served(flags, headers);
  return {
    url: flags.url,
    workload,
    body: {
      endpoint,
      promptForm: endpoint === "chat" ? "text" : endpoint === "generate" ? "ids" : prompt,
      model,
      asksTokenIds: flags.tokenIds === "always" || (flags.tokenIds === "auto" && isVllm),
    },
    tokenRange: flags.tokenRange,
    headers,
    timeScale,
    timeoutMs: (flags.timeout * 1000) / timeScale,
    warmups: flags.numWarmups,
  };
}

/** What is written down of how the requests were sent; no headers, since they may hold keys. */
function replaySettings(flags: ReplayFlags, { body, tokenRange, url }: ReplayOptions): object {
  return {
    url,
    endpoint: body.endpoint,
    prompt: body.promptForm,
    model: body.model,
    token_ids: body.endpoint === "generate" || body.asksTokenIds === true,
    token_range: [tokenRange.low, tokenRange.high],
    time_scale: flags.timeScale,
    timeout_s: flags.timeout,
    num_warmups: flags.numWarmups,
  };
}

/** The model to ask for, and whether the server says that it is vLLM's. */
async function served(
  { url, model, tokenIds }: ReplayFlags,
  headers: Readonly<Record<string, string>>,
): Promise<{ readonly model: string; readonly isVllm: boolean }> {
  if (model !== undefined && tokenIds !== "auto") return { model, isVllm: false };
  try {
    const models = await modelsOf(url, headers);
    const card = model === undefined ? models[0] : models.find(({ id }) => id === model);
    return { model: model ?? models[0]!.id, isVllm: card?.ownedBy === "vllm" };
  } catch (error) {
    if (model !== undefined) return { model, isVllm: false };
    throw error;
  }
}

/** The models that a server lists, at least one. */
async function modelsOf(
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ readonly id: string; readonly ownedBy: unknown }[]> {
  const address = `${url.replace(/\/+$/, "")}/v1/models`;
  try {
    const { statusCode, body } = await request(address, { headers });
    const answer = (await body.json()) as { readonly data?: readonly { id?: unknown; owned_by?: unknown }[] };
    const models = (answer.data ?? []).flatMap(({ id, owned_by }) =>
      typeof id === "string" ? [{ id, ownedBy: owned_by }] : [],
    );
    if (statusCode === 200 && models.length > 0) return models;
    throw new Error(`status ${statusCode}`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new WorkError(
      `${address}: ${reason}; expected a server that lists its models there: start it, correct --url, or name the model with --model`,
    );
  }
}

const SLO_NAMES: Readonly<Record<string, keyof Slo>> = { ttft: "ttft_ms", tpot: "tpot_ms", e2el: "e2e_ms" };

/** `ttft:2000 tpot:50`, as in `vllm bench serve`. */
function sloOf(words: readonly string[]): Slo {
  const slo: Record<keyof Slo, number | null> = { ttft_ms: null, tpot_ms: null, e2e_ms: null };
  for (const word of words) {
    const [name = "", value = ""] = word.split(":");
    const key = SLO_NAMES[name];
    if (key === undefined || !(Number(value) > 0)) {
      throw new InputError(`--goodput ${word}: expected ttft:MS, tpot:MS or e2el:MS`);
    }
    slo[key] = Number(value);
  }
  return slo;
}

function tokenRange(text: string): TokenRange {
  const [low, high] = text.split(":").map(Number);
  if (Number.isSafeInteger(low) && Number.isSafeInteger(high) && low! >= 0 && high! - low! >= 1000) {
    return { low: low!, high: high! };
  }
  throw new InputError(`--token-range ${text}: expected LOW:HIGH with at least 1,000 ids between them`);
}

function header(text: string, earlier: Readonly<Record<string, string>>): Record<string, string> {
  const colon = text.indexOf(":");
  if (colon < 1) throw new InputError(`--header ${text}: expected NAME:VALUE`);
  return { ...earlier, [text.slice(0, colon).trim().toLowerCase()]: text.slice(colon + 1).trim() };
}
