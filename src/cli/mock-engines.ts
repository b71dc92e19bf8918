import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { parse } from "yaml";
import { startMockEngines, type MockFleet } from "../../mock-engines/start-mock-engines.js";
import { InputError } from "../errors.js";
import { findScenario } from "../scenario/load.js";
import { parseSetFlag, parseValue, type Override } from "../scenario/overrides.js";
import { resolveScenario } from "../scenario/resolve.js";
import type { Scenario } from "../scenario/schema.js";
import { numberFlag, portFlag, wholeNumberFlag } from "./number-flags.js";

const EXAMPLES = `
Prefill engines listen on the first ports from --base-port on, decode engines on the ports after them. A
scenario's \`mock_engines\` block, --config and --knob set faults and other knobs; POST /admin/config changes them
while the engines run (docs/mock-engines.md lists all).

Examples:
  $ pdbench mock-engines --prefill-workers 2 --decode-workers 2 --base-port 8100 --time-scale 1
  $ pdbench mock-engines conversation-4p4d --base-port 0 --time-scale 0.25 --json
  $ pdbench mock-engines --profile llama-3.1-8b-h100-tp1-bf16 --knob error_rate=0.05 --knob error_status=503
`;

interface MockEnginesFlags {
  readonly prefillWorkers?: number;
  readonly decodeWorkers?: number;
  readonly profile?: string;
  readonly seed?: number;
  readonly set?: readonly string[];
  readonly basePort: number;
  readonly sideChannelBasePort: number;
  readonly host: string;
  readonly timeScale: number;
  readonly model?: string;
  readonly tokenizer?: string;
  readonly dataParallelSize: number;
  readonly kvConnector: "nixl" | "shared_storage";
  readonly kvEventsPort?: number;
  readonly kvEventsReplayPort: number;
  readonly kvEventsTopic: string;
  readonly kvEventsFormat: "array" | "map";
  readonly config?: string;
  readonly knob?: readonly string[];
  readonly json?: true;
}

/** `pdbench mock-engines [SCENARIO]`: modelled engines behind vLLM's HTTP surface, until interrupted. */
export function mockEnginesCommand(): Command {
  const command = new Command("mock-engines")
    .description("Starts mock prefill and decode engines that speak vLLM's HTTP API, until interrupted.")
    .argument("[scenario]", "scenario file or name; without it, the default fleet");
  addFleetFlags(command);
  addServingFlags(command);
  return command
    .option("--json", "print the engines as one JSON document once they listen")
    .addHelpText("after", EXAMPLES)
    .action(async (name: string | undefined, flags: MockEnginesFlags) => {
      const fleet = await start(loadScenario(name ?? null, flags), flags);
      print(fleet, flags.json === true);
      await interrupted();
      await fleet.close();
    });
}

function addFleetFlags(command: Command): void {
  command
    .optionsGroup("Fleet (wins over the scenario):")
    .option("--prefill-workers <N>", "prefill engines; 0 = none", wholeNumberFlag("--prefill-workers", 0))
    .option("--decode-workers <N>", "decode engines", wholeNumberFlag("--decode-workers", 1))
    .option("--profile <NAME>", "engine profile of both legs, or a profile YAML (pdbench list profiles)")
    .option("--seed <N>", "seed of injected faults", wholeNumberFlag("--seed", 0))
    .option(
      "--set <PATH=VALUE>",
      "any other setting, e.g. engine.num_gpu_blocks=500; may be repeated",
      collect,
    )
    .option(
      "--data-parallel-size <N>",
      "engines behind each port",
      wholeNumberFlag("--data-parallel-size", 1),
      1,
    );
}

function addServingFlags(command: Command): void {
  command
    .optionsGroup("Serving:")
    .option(
      "--base-port <PORT>",
      "port of the first engine; 0 = any free ports",
      portFlag("--base-port"),
      8100,
    )
    .option("--host <ADDRESS>", "address to listen on", "127.0.0.1")
    .option(
      "--time-scale <X>",
      "wall time of a unit of engine time",
      numberFlag("--time-scale", "positive"),
      1,
    )
    .option("--model <NAME>", "served model name; the profile's otherwise")
    .option("--tokenizer <FILE>", "a tokenizer.json; a built-in tokenizer otherwise")
    .option(
      "--side-channel-base-port <PORT>",
      "port of the first engine's KV side channel; 0 = any free ports",
      portFlag("--side-channel-base-port"),
      0,
    )
    .addOption(
      new Option("--kv-connector <NAME>", "how KV moves besides what requests ask for")
        .choices(["nixl", "shared_storage"])
        .default("nixl"),
    )
    .option(
      "--kv-events-port <PORT>",
      "publish KV events over ZMQ from this port on",
      portFlag("--kv-events-port"),
    )
    .option(
      "--kv-events-replay-port <PORT>",
      "ports where they are replayed; 0 = any free ones",
      portFlag("--kv-events-replay-port"),
      0,
    )
    .option("--kv-events-topic <TEXT>", "their topic", "")
    .addOption(
      new Option("--kv-events-format <NAME>", "array as vLLM up to 0.19, map as its main branch since")
        .choices(["array", "map"])
        .default("array"),
    )
    .option("--config <FILE>", "YAML or JSON file of knobs")
    .option("--knob <NAME=VALUE>", "one knob, e.g. error_rate=0.05; may be repeated", collect);
}

function collect(value: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), value];
}

/** The scenario with the flags over it; without prefill engines nothing is there to disaggregate to. */
function loadScenario(name: string | null, flags: MockEnginesFlags): Scenario {
  const overrides: Override[] = [];
  const set = (setting: string, value: unknown, source: string): void => {
    if (value !== undefined) overrides.push({ setting, value, source });
  };
  set("prefill_workers", flags.prefillWorkers, "--prefill-workers");
  if (flags.prefillWorkers === 0) set("router.decider", { kind: "never" }, "--prefill-workers 0");
  set("decode_workers", flags.decodeWorkers, "--decode-workers");
  set("profile", flags.profile, "--profile");
  set("seed", flags.seed, "--seed");
  for (const argument of flags.set ?? []) {
    const { setting, text } = parseSetFlag(argument);
    const source = `--set ${setting}`;
    set(setting, parseValue(text, source), source);
  }
  return resolveScenario(findScenario(name), overrides);
}

function start(scenario: Scenario, flags: MockEnginesFlags): Promise<MockFleet> {
  const { host, basePort, sideChannelBasePort, timeScale, dataParallelSize, kvConnector } = flags;
  const { model, tokenizer, kvEventsPort } = flags;
  return startMockEngines({
    scenario,
    host,
    basePort,
    sideChannelBasePort,
    timeScale,
    dataParallelSize,
    kvConnector,
    knobs: knobsOf(scenario, flags),
    ...(model !== undefined && { model }),
    ...(tokenizer !== undefined && { tokenizer }),
    ...(kvEventsPort !== undefined && {
      kvEvents: {
        port: kvEventsPort,
        replayPort: flags.kvEventsReplayPort,
        topic: flags.kvEventsTopic,
        format: flags.kvEventsFormat,
      },
    }),
  });
}

/** Knobs of the scenario, then of the file, then of the flags. */
function knobsOf(scenario: Scenario, flags: MockEnginesFlags): Record<string, unknown> {
  const knobs = { ...scenario.mock_engines, ...(flags.config === undefined ? {} : readConfig(flags.config)) };
  for (const argument of flags.knob ?? []) {
    const equals = argument.indexOf("=");
    if (equals < 1) throw new InputError(`--knob ${argument}: expected NAME=VALUE, e.g. error_rate=0.05`);
    const name = argument.slice(0, equals);
    knobs[name] = parseValue(argument.slice(equals + 1), `--knob ${name}`);
  }
  return knobs;
}

function readConfig(file: string): Record<string, unknown> {
  let content: unknown;
  try {
    content = parse(readFileSync(file, "utf8"));
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0]! : String(error);
    throw new InputError(`--config ${file}: cannot be read: ${reason}`);
  }
  if (typeof content !== "object" || content === null || Array.isArray(content)) {
    throw new InputError(`--config ${file}: expected a block of knobs, e.g. error_rate: 0.05`);
  }
  return content as Record<string, unknown>;
}

/** One line an engine, or all of them as JSON. */
function print({ engines }: MockFleet, asJson: boolean): void {
  const listed = engines.map(({ name, role, url, model, sideChannels, kvEvents }) => ({
    name,
    role,
    url,
    model,
    side_channels: sideChannels.map(({ host, port }) => `${host}:${port}`),
    kv_events: kvEvents.map((ports) => ports && { port: ports.port, replay_port: ports.replayPort }),
  }));
  if (asJson) {
    process.stdout.write(`${JSON.stringify({ engines: listed }, null, 2)}\n`);
    return;
  }
  for (const { name, url, model, side_channels } of listed) {
    process.stdout.write(`${name}  ${url}  ${model}  side channel ${side_channels.join(" ")}\n`);
  }
}

/** Resolves on the first SIGINT or SIGTERM: stopping is how this command ends. */
function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
}
