import { Command, Option } from "commander";
import { InputError } from "../errors.js";
import { wallClock } from "../proxy/clock.js";
import { CONNECTORS, type Connector } from "../proxy/dialects/connector.js";
import { dialectDefaults, flagDialect } from "../proxy/flag-dialect.js";
import type { DrainSettings } from "../proxy/lifetime.js";
import { logLevel, ProcessLog, type LogLevel } from "../proxy/process-log.js";
import { REFUSED_FLAGS } from "../proxy/refused-flags.js";
import {
  defaultOf,
  RESILIENCE_FLAGS,
  RESILIENCE_SWITCHES,
  resilienceOf,
  type ResilienceFlag,
} from "../proxy/resilience-flags.js";
import { routerBlock, type RoutingFlags } from "../proxy/routing-flags.js";
import { startProxy, type ProxyOptions } from "../proxy/server.js";
import { runUntilSignal } from "../proxy/signals.js";
import type { TracingOptions } from "../proxy/tracing.js";
import { workersOf, type WorkerFlags } from "../proxy/worker-flags.js";
import { dnsSource, type WorkerSourceOptions } from "../proxy/workers/worker-sources.js";
import { packageVersion } from "../package-info.js";
import { resolveRouterConfig } from "../routing/router-config.js";
import { findScenario } from "../scenario/load.js";
import { resolveScenario } from "../scenario/resolve.js";
import { numberFlag, wholeNumberFlag } from "./number-flags.js";
import {
  addSecurityFlags,
  doorOptions,
  ownPorts,
  targetRules,
  type SecurityFlags,
} from "./proxy-security-flags.js";

const EXAMPLES = `
The flags are vllm-router's and production-stack's; those of theirs that pdbench does not have are refused with the reason.

Examples:
  $ pdbench proxy --vllm-pd-disaggregation --prefill http://127.0.0.1:8100 none --decode http://127.0.0.1:8102 --policy cache_aware
  $ pdbench proxy --prefill http://p0:8000 --decode http://d0:8000 http://d1:8000 --routing-threshold 4096 --record trace.jsonl
  $ pdbench proxy --scenario conversation-4p4d --prefill http://p0:8000 --decode http://d0:8000
`;

/** As in a simulation. */
const DEFAULT_STATS_INTERVAL_MS = 1000;
const SHORTEST_STATS_INTERVAL_MS = 50;
/** production-stack's. */
const DEFAULT_LOG_STATS_S = 10;

const DEFAULT_DNS_INTERVAL_S = 5;

interface ProxyFlags extends WorkerFlags, RoutingFlags, SecurityFlags {
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

/**
 * `pdbench proxy`: the routing core in front of real vLLM or mock engines.
 *
 * @param serve What is done with the options that the flags stand for.
 */
export function proxyCommand(serve: typeof serveUntilTold = serveUntilTold): Command {
  const command = new Command("proxy")
    .description(
      "Routes OpenAI requests over prefill and decode workers, with the routing core that simulate runs.",
    )
    .version(packageVersion(), "--version", "print the version");
  addServerFlags(command);
  addWorkerFlags(command);
  addRoutingFlags(command);
  addConnectorFlags(command);
  addResilienceFlags(command);
  addObservationFlags(command);
  addSecurityFlags(command);
  for (const flag of REFUSED_FLAGS.keys()) command.addOption(new Option(`--${flag} [value...]`).hideHelp());
  return command.addHelpText("after", EXAMPLES).action(async (flags: ProxyFlags) => {
    refuseForeignFlags(command);
    const { drainDelaySecs, drainTimeoutSecs } = flags;
    const drain = { delayMs: drainDelaySecs * 1000, timeoutMs: drainTimeoutSecs * 1000 };
    await serve(proxyOptions(flags), drain, () => proxyOptions(flags));
  });
}

function addServerFlags(command: Command): void {
  command
    .optionsGroup("Server:")
    .option("--host <HOST>", "address to listen on", "127.0.0.1")
    .option(
      "--port <PORT>",
      "port to listen on, 0 = any; default: 30000, with production-stack's flags 8001",
      wholeNumberFlag("--port", 0),
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

/** @param reread What the flags stand for now, files read again. */
async function serveUntilTold(
  options: ProxyOptions,
  drain: DrainSettings,
  reread: () => ProxyOptions,
): Promise<void> {
  const proxy = await startProxy(options);
  const { prefill, decode, connector } = options;
  const log = options.log!;
  log.say(
    "info",
    `pdbench proxy listens on ${proxy.url}: ${prefill.length} prefill and ${decode.length} decode workers, ${connector.connector}`,
  );
  for (const [what, url] of Object.entries(proxy.ownUrls)) {
    if (url !== null) log.say("info", `pdbench proxy: ${what} on ${url}`);
  }
  let current = options;
  const reload = () => {
    const next = reread();
    proxy.reload(next);
    const changes = changedSettings(current.router, next.router);
    current = next;
    return `reloaded: ${changes.length === 0 ? "no setting of the router has changed" : changes.join(", ")}`;
  };
  await runUntilSignal({ proxy, drain, reload, log });
}

/** `path old -> new` for every setting that differs. */
function changedSettings(before: unknown, after: unknown, path = ""): string[] {
  if (typeof before !== "object" || typeof after !== "object" || before === null || after === null) {
    return before === after ? [] : [`${path} ${String(before)} -> ${String(after)}`];
  }
  const [was, is] = [before as Record<string, unknown>, after as Record<string, unknown>];
  return [...new Set([...Object.keys(was), ...Object.keys(is)])].flatMap((name) =>
    changedSettings(was[name], is[name], path === "" ? name : `${path}.${name}`),
  );
}

function refuseForeignFlags(command: Command): void {
  for (const [flag, reason] of REFUSED_FLAGS) {
    const given = command.getOptionValueSource(camel(flag));
    if (given !== undefined) throw new InputError(`--${flag} is not supported: ${reason}`);
  }
}

/** @throws InputError for flags that are wrong, alone or together. */
function proxyOptions(flags: ProxyFlags): ProxyOptions {
  refuseOtherValues(flags);
  const dialect = flagDialect(flags);
  const defaults = dialectDefaults(dialect, flags.routingLogic);
  const log = new ProcessLog({ level: flags.logLevel, format: flags.logFormat });
  const scenario = flags.scenario === undefined ? null : resolveScenario(findScenario(flags.scenario));
  const { config, unused, statsIntervalMs } = resolveRouterConfig(routerBlock(flags, scenario?.router));
  for (const setting of unused) {
    log.say("warn", `nothing looks at ${setting} with the chosen decider and policies`);
  }
  const tracing = tracingOptions(flags);
  const sources = sourceOptions(flags);
  const logStatsIntervalMs = logStatsInterval(flags);
  const workers = workersOf(flags);
  return {
    ...workers,
    ...(sources !== null && { sources }),
    host: flags.host,
    port: flags.port ?? defaults.port,
    router: config,
    seed: flags.seed ?? scenario?.seed ?? 1,
    connector: connectorOptions(flags, defaults.remoteHost),
    maxPayloadBytes: flags.maxPayloadSize,
    resilience: resilienceOf((name) => (flags as unknown as Readonly<Record<string, unknown>>)[camel(name)]),
    engineStatsIntervalMs: statsInterval(flags, scenario?.signals.stats_interval_ms ?? statsIntervalMs),
    log,
    door: doorOptions(flags, dialect, workers.prefill.length > 0, process.env),
    ports: ownPorts(flags),
    targets: targetRules(flags),
    onDefect: (error) => {
      log.say("critical", `defect: ${error instanceof Error ? error.stack! : String(error)}`);
    },
    clock: wallClock(flags.timeScale),
    ...(flags.sessionKey !== undefined && { sessionKey: flags.sessionKey }),
    ...(flags.eventLog !== undefined && { eventLog: flags.eventLog }),
    ...(flags.record !== undefined && { record: flags.record }),
    ...(flags.requestLog !== undefined && { requestLog: flags.requestLog }),
    ...(tracing !== null && { tracing }),
    ...(logStatsIntervalMs !== null && { logStatsIntervalMs }),
  };
}

/** Flags of which the proxy has one value only. @throws InputError for any other. */
function refuseOtherValues({ serviceDiscovery, backend, runtime, requestRewriter }: ProxyFlags): void {
  if (serviceDiscovery !== undefined && serviceDiscovery !== "static") {
    throw new InputError(
      `--service-discovery is not supported: workers are given on the command line, there is no discovery`,
    );
  }
  for (const [flag, value, expected] of [
    ["--backend", backend, "vllm"],
    ["--runtime", runtime, "vllm"],
    ["--request-rewriter", requestRewriter, "noop"],
  ] as const) {
    if (value === undefined || value === expected) continue;
    throw new InputError(`${flag} ${value} is not supported, expected ${expected}`);
  }
}

/** Null: no such lines. @throws InputError for an interval of nothing. */
function logStatsInterval({ logStats, logStatsInterval: seconds }: ProxyFlags): number | null {
  if (logStats === true) return (seconds ?? DEFAULT_LOG_STATS_S) * 1000;
  if (seconds === undefined) return null;
  throw new InputError("--log-stats-interval has no effect without --log-stats, expected both");
}

/** @throws InputError for a name that is none, and for flags that sources do not look at. */
function sourceOptions(flags: ProxyFlags): WorkerSourceOptions | null {
  const { workerFile = null, prefillDns, decodeDns, dnsIntervalSecs } = flags;
  const dns = [
    ...(prefillDns === undefined ? [] : [dnsSource("prefill", prefillDns, "--prefill-dns")]),
    ...(decodeDns === undefined ? [] : [dnsSource("decode", decodeDns, "--decode-dns")]),
  ];
  if (dnsIntervalSecs !== undefined && dns.length === 0) {
    throw new InputError("--dns-interval-secs has no effect without --prefill-dns or --decode-dns");
  }
  if (workerFile === null && dns.length === 0) return null;
  if (flags.intraNodeDataParallelSize !== undefined) {
    throw new InputError(
      "--intra-node-data-parallel-size does not go with --worker-file and DNS, expected URLs with @RANK in the file",
    );
  }
  return { file: workerFile, dns, dnsIntervalMs: (dnsIntervalSecs ?? DEFAULT_DNS_INTERVAL_S) * 1000 };
}

/** @throws InputError for a URL or share that is none, and for settings of traces that nobody gets. */
function tracingOptions({ otlpUrl, otelServiceName, otelSamplingRatio }: ProxyFlags): TracingOptions | null {
  if (otlpUrl === undefined) {
    const idle = otelServiceName !== undefined ? "--otel-service-name" : "--otel-sampling-ratio";
    if (otelServiceName === undefined && otelSamplingRatio === undefined) return null;
    throw new InputError(`${idle} has no effect without --otlp-url, expected both`);
  }
  const url = URL.canParse(otlpUrl) ? new URL(otlpUrl) : null;
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    throw new InputError(`--otlp-url: got ${otlpUrl}, expected a URL such as http://127.0.0.1:4318`);
  }
  const samplingRatio = Number(otelSamplingRatio ?? 1);
  if (!(samplingRatio >= 0 && samplingRatio <= 1)) {
    throw new InputError(`--otel-sampling-ratio: got ${otelSamplingRatio}, expected a share from 0 to 1`);
  }
  return { url, serviceName: otelServiceName ?? "pdbench-proxy", samplingRatio };
}

/** @param settingMs Of a scenario or preset; 0 there means "always fresh", which a network cannot give. */
function statsInterval({ engineStatsInterval }: ProxyFlags, settingMs: number | null): number {
  if (engineStatsInterval !== undefined) return engineStatsInterval * 1000;
  return Math.max(SHORTEST_STATS_INTERVAL_MS, settingMs ?? DEFAULT_STATS_INTERVAL_MS);
}

function connectorOptions(
  flags: ProxyFlags,
  defaultRemoteHost: "as_reported" | "prefill_url",
): ProxyOptions["connector"] {
  const { kvConnector, disaggConnectorType, remoteHost = defaultRemoteHost } = flags;
  if (kvConnector !== undefined && disaggConnectorType !== undefined && kvConnector !== disaggConnectorType) {
    throw new InputError(
      `--kv-connector ${kvConnector} with --disagg-connector-type ${disaggConnectorType}: expected one of them`,
    );
  }
  if (kvConnector === "moriio") {
    throw new InputError("--kv-connector moriio is not supported: it needs ZMQ discovery of the workers");
  }
  return {
    connector: kvConnector ?? disaggConnectorType ?? "nixl",
    remoteHost,
    decoders: {
      ...(flags.decoderRegistry !== undefined && { registry: flags.decoderRegistry }),
      ...(flags.decoderHost !== undefined && { host: flags.decoderHost }),
      ...(flags.decoderInitPort !== undefined && { initPort: flags.decoderInitPort }),
      ...(flags.decoderAllocPort !== undefined && { allocPort: flags.decoderAllocPort }),
    },
  };
}

function collect(value: string, earlier: readonly string[]): string[] {
  return [...earlier, value];
}

function camel(flag: string): string {
  return flag.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
