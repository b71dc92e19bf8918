import { Option, type Command } from "commander";
import { InputError } from "../errors.js";
import { CONNECTORS, type Connector } from "../proxy/dialects/connector.js";
import { logLevel, type LogLevel } from "../proxy/process-log.js";
import {
  defaultOf,
  RESILIENCE_FLAGS,
  RESILIENCE_SWITCHES,
  type ResilienceFlag,
} from "../proxy/resilience-flags.js";
import type { RoutingFlags } from "../proxy/routing-flags.js";
import type { WorkerFlags } from "../proxy/worker-flags.js";
import { numberFlag, portFlag, wholeNumberFlag } from "./number-flags.js";
import { addSecurityFlags, type SecurityFlags } from "./proxy-security-flags.js";

/** The flags of `pdbench proxy`, as commander gives them. */
export interface ProxyFlags extends WorkerFlags, RoutingFlags, SecurityFlags {
  readonly workerFile?: string;
  readonly prefillDns?: string;
  readonly decodeDns?: string;
  readonly dnsIntervalSecs?: number;
  readonly host: string;
  readonly port?: number;
  readonly scenario?: string;
  readonly seed?: number;
  readonly kvConnector?: Connector | "moriio";
  readonly disaggConnectorType?: "nixl" | "lmcache";
  readonly remoteHost?: "as_reported" | "prefill_url";
  readonly decoderRegistry?: string;
  readonly decoderHost?: string;
  readonly decoderInitPort?: string;
  readonly decoderAllocPort?: string;
  readonly sessionKey?: string;
  readonly maxPayloadSize: number;
  readonly engineStatsInterval?: number;
  readonly timeScale: number;
  readonly eventLog?: string;
  readonly record?: string;
  readonly requestLog?: string;
  readonly otlpUrl?: string;
  readonly otelServiceName?: string;
  readonly otelSamplingRatio?: string;
  readonly serviceDiscovery?: string | true;
  readonly backend?: string;
  readonly runtime?: string;
  readonly requestRewriter?: string;
  readonly logLevel: LogLevel;
  readonly logFormat: "text" | "json";
  readonly drainDelaySecs: number;
  readonly drainTimeoutSecs: number;
  readonly logStats?: true;
  readonly logStatsInterval?: number;
  readonly set: readonly string[];
}

/** Declares them. */
export function addProxyFlags(command: Command): void {
  addServerFlags(command);
  addWorkerFlags(command);
  addRoutingFlags(command);
  addConnectorFlags(command);
  addResilienceFlags(command);
  addObservationFlags(command);
  addSecurityFlags(command);
}

function addServerFlags(command: Command): void {
  command
    .optionsGroup("Server:")
    .option("--host <HOST>", "address to listen on", "127.0.0.1")
    .option(
      "--port <PORT>",
      "port to listen on, 0 = any; default: 30000, with production-stack's flags 8001",
      portFlag("--port"),
    )
    .option(
      "--max-payload-size <BYTES>",
      "largest request body; larger ones get 413",
      wholeNumberFlag("--max-payload-size", 1),
      512 << 20,
    )
    .option(
      "--session-key <NAME>",
      "header, or member of the body, with the session; default: the usual ones",
    )
    .option(
      "--engine-stats-interval <SECONDS>",
      "time between polls of /metrics, for policies that look at it",
      numberFlag("--engine-stats-interval", "positive"),
    )
    .option(
      "--time-scale <X>",
      "wall time of one second of the router's, s: that of the mock engines",
      numberFlag("--time-scale", "positive"),
      1,
    )
    .option(
      "--drain-delay-secs <SECONDS>",
      "told to end: time with readiness off before nothing new is taken",
      numberFlag("--drain-delay-secs", "not negative"),
      0,
    )
    .option(
      "--drain-timeout-secs <SECONDS>",
      "told to end: time for open requests, then they are cut",
      numberFlag("--drain-timeout-secs", "not negative"),
      30,
    )
    .option("--record <FILE>", "write a trace of the traffic, without prompts (.gz accepted)")
    .option("--event-log <FILE>", "write every call to the routing core, prompts included");
}

function addWorkerFlags(command: Command): void {
  command
    .optionsGroup("Workers:")
    .option("--vllm-pd-disaggregation", "vllm-router's mode for prefill and decode workers")
    .option(
      "--prefill <URL PORT|none...>",
      "prefill workers, each with its bootstrap port if it has one: URL, URL 8998, URL none",
    )
    .option("--decode <URL...>", "decode workers")
    .option("--worker-file <FILE>", "workers in YAML or JSON; the file is watched")
    .option(
      "--prefill-dns <HOST[:PORT]>",
      "every address of this name is a prefill worker; default port: 8000",
    )
    .option("--decode-dns <HOST[:PORT]>", "every address of this name is a decode worker")
    .option(
      "--dns-interval-secs <SECONDS>",
      "time between two look-ups of those names; default: 5",
      numberFlag("--dns-interval-secs", "positive"),
    )
    .option("--worker-urls <URL...>", "workers that do both; nothing is disaggregated")
    .option(
      "--intra-node-data-parallel-size <N>",
      "each URL stands for N data-parallel ranks",
      wholeNumberFlag("--intra-node-data-parallel-size", 1),
    )
    .option(
      "--prefill-data-parallel-size <N>",
      "the same for prefill URLs alone",
      wholeNumberFlag("--prefill-data-parallel-size", 1),
    )
    .option(
      "--decode-data-parallel-size <N>",
      "the same for decode URLs alone",
      wholeNumberFlag("--decode-data-parallel-size", 1),
    )
    .option("--static-backends <URLS>", "production-stack: URLs, separated by commas")
    .option("--static-models <NAMES>", "production-stack: the model of each backend")
    .option("--static-aliases <ALIAS:MODEL>", "production-stack: other names of models, separated by commas")
    .option(
      "--static-model-types <TYPES>",
      "production-stack: chat, completion, embeddings, rerank, ... for each backend; see the next",
    )
    .option(
      "--static-backend-health-checks",
      "production-stack: a worker is healthy that answers a small request of its type",
    )
    .option(
      "--static-backend-health-check-interval <SECONDS>",
      "production-stack: time between such checks; default: 60",
      numberFlag("--static-backend-health-check-interval", "positive"),
    )
    .option(
      "--static-backend-health-check-timeout-seconds <SECONDS>",
      "production-stack: longest time for an answer; default: 10",
      numberFlag("--static-backend-health-check-timeout-seconds", "positive"),
    )
    .option("--static-model-labels <LABELS>", "production-stack: a label for each backend")
    .option("--prefill-model-labels <LABELS>", "production-stack: labels of prefill backends")
    .option("--decode-model-labels <LABELS>", "production-stack: labels of decode backends")
    .addOption(new Option("--service-discovery [KIND]").hideHelp())
    .addOption(new Option("--backend <KIND>").hideHelp())
    .addOption(new Option("--runtime <KIND>").hideHelp())
    .addOption(new Option("--request-rewriter <NAME>").hideHelp());
}

function addRoutingFlags(command: Command): void {
  command
    .optionsGroup("Routing:")
    .option("--scenario <NAME>", "take the router block of a scenario; flags win over it")
    .option("--preset <NAME>", "a public router's settings (pdbench list presets)")
    .option("--policy <NAME>", "policy of both legs (pdbench list policies)")
    .option("--prefill-policy <NAME>", "policy of the prefill leg")
    .option("--decode-policy <NAME>", "policy of the decode leg")
    .option("--decider <NAME>", "what decides whether to disaggregate (pdbench list deciders)")
    .option("--routing-threshold <TOKENS>", "disaggregate prompts of at least this length; 0 = all")
    .option("--cache-threshold <SHARE>", "cache_aware: share of the prompt that must be held, 0..1")
    .option("--balance-abs-threshold <N>", "cache_aware: load difference above which balance wins")
    .option("--balance-rel-threshold <X>", "cache_aware: load ratio above which balance wins")
    .option("--max-tree-size <UNITS>", "cache_aware: characters or tokens remembered for each worker")
    .option("--eviction-interval <SECONDS>", "cache_aware: time between evictions")
    .addOption(new Option("--eviction-interval-secs <SECONDS>").hideHelp())
    .option("--load-balancing-strategy <NAME>", "production-stack's name for --policy")
    .option("--routing-logic <NAME>", "production-stack's routing logics")
    .option("--request-stats-window <SECONDS>", "qps: window of the request rate")
    .option("--prefix-min-match-length <N>", "prefix_aware: shortest match that counts")
    .option(
      "--seed <N>",
      "seed of everything random; default: the scenario's, or 1",
      wholeNumberFlag("--seed", 0),
    )
    .option("--set <PATH=VALUE>", "any other setting of the router block; may be repeated", collect, []);
}

function addResilienceFlags(command: Command): void {
  command.optionsGroup("Failing workers, and limits (docs/proxy.md):");
  for (const flag of RESILIENCE_FLAGS) {
    const { name, kind, help } = flag;
    const [unit, parse] = FLAG_KINDS[kind];
    const option = new Option(`--${name} <${unit}>`, `${help}; default: ${defaultOf(flag) ?? "none"}`);
    command.addOption(option.argParser(parse(`--${name}`)));
  }
  for (const { name, help } of Object.values(RESILIENCE_SWITCHES)) command.option(`--${name}`, help);
}

const FLAG_KINDS: Readonly<
  Record<ResilienceFlag["kind"], readonly [string, (flag: string) => (text: string) => number | string]>
> = {
  count: ["N", (flag) => wholeNumberFlag(flag, 1)],
  size: ["N", (flag) => wholeNumberFlag(flag, 0)],
  seconds: ["SECONDS", (flag) => numberFlag(flag, "positive")],
  ms: ["MS", (flag) => numberFlag(flag, "not negative")],
  factor: ["X", (flag) => numberFlag(flag, "positive")],
  share: [
    "SHARE",
    (flag) => (text) => {
      const share = numberFlag(flag, "not negative")(text);
      if (share <= 1) return share;
      throw new InputError(`${flag}: got ${text}, expected a share from 0 to 1`);
    },
  ],
  path: ["PATH", () => (text) => text],
};

function addConnectorFlags(command: Command): void {
  command
    .optionsGroup("KV transfer:")
    .addOption(
      new Option("--kv-connector <NAME>", "how KV gets to decode workers").choices([...CONNECTORS, "moriio"]),
    )
    .addOption(
      new Option("--disagg-connector-type <NAME>", "production-stack's name for it").choices([
        "nixl",
        "lmcache",
      ]),
    )
    .addOption(
      new Option(
        "--remote-host <WHICH>",
        "NIXL: host of the KV, as the engine reports it (default) or of the prefill URL",
      ).choices(["as_reported", "prefill_url"]),
    )
    .option("--decoder-registry <JSON>", "LMCache: receiver of each decode URL")
    .option("--decoder-host <HOST>", "LMCache: receiver of the one decode worker")
    .option("--decoder-init-port <PORTS>", "LMCache: its init ports, separated by commas")
    .option("--decoder-alloc-port <PORTS>", "LMCache: its alloc ports, separated by commas");
}

function addObservationFlags(command: Command): void {
  command
    .optionsGroup("Observation (dashboard at /dashboard, metrics at /metrics):")
    .option("--request-log <FILE>", "add one line of JSON per request, without prompts; - = standard output")
    .option("--otlp-url <URL>", "send a trace per request, OTLP over HTTP, e.g. http://127.0.0.1:4318")
    .option("--otel-service-name <NAME>", "service name of the traces; default: pdbench-proxy")
    .option("--otel-sampling-ratio <SHARE>", "share of the traces that begin here to keep, 0..1; default: 1")
    .option("--log-level <LEVEL>", "trace, debug (a line per request), info, warn, error", logLevel, "info")
    .addOption(
      new Option("--log-format <FORM>", "form of the log on standard error")
        .choices(["text", "json"])
        .default("text"),
    )
    .option("--log-stats", "log how many requests and legs there are, at intervals")
    .option(
      "--log-stats-interval <SECONDS>",
      "time between those lines; default: 10",
      numberFlag("--log-stats-interval", "positive"),
    );
}

function collect(value: string, earlier: readonly string[]): string[] {
  return [...earlier, value];
}
