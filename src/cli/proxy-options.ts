import { InputError } from "../errors.js";
import { wallClock } from "../proxy/clock.js";
import { dialectDefaults, flagDialect, type FlagDialect } from "../proxy/flag-dialect.js";
import { ProcessLog } from "../proxy/process-log.js";
import type { ProxyOptions } from "../proxy/proxy-options.js";
import { NO_DISCOVERY } from "../proxy/refused-flags.js";
import type { ProxyResilience } from "../proxy/resilience.js";
import { resilienceOf } from "../proxy/resilience-flags.js";
import { routerBlock } from "../proxy/routing-flags.js";
import { staticAliases } from "../proxy/static-backends.js";
import type { TracingOptions } from "../proxy/tracing.js";
import { workersOf } from "../proxy/worker-flags.js";
import { dnsSource, type WorkerSourceOptions } from "../proxy/workers/worker-sources.js";
import { resolveRouterConfig } from "../routing/router-config.js";
import { findScenario } from "../scenario/load.js";
import { resolveScenario } from "../scenario/resolve.js";
import type { ProxyFlags } from "./proxy-flags.js";
import { doorOptions, ownPorts, targetRules } from "./proxy-security-flags.js";

/** As in a simulation. */
const DEFAULT_STATS_INTERVAL_MS = 1000;
const SHORTEST_STATS_INTERVAL_MS = 50;
/** production-stack's. */
const DEFAULT_LOG_STATS_S = 10;

const DEFAULT_DNS_INTERVAL_S = 5;

/** @throws InputError for flags that are wrong, alone or together. */
export function proxyOptions(flags: ProxyFlags): ProxyOptions {
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
  const resilience = resilienceOf(resilienceFlags(flags));
  const startupTimeoutMs = startupTimeout(flags, dialect, resilience);
  const workers = workersOf(flags);
  const aliases = staticAliases(flags);
  if (flags.staticModelTypes !== undefined && flags.staticBackendHealthChecks !== true) {
    log.say("warn", "nothing looks at --static-model-types without --static-backend-health-checks");
  }
  return {
    ...workers,
    ...(sources !== null && { sources }),
    host: flags.host,
    port: flags.port ?? defaults.port,
    ...(aliases.size > 0 && { aliases }),
    router: config,
    seed: flags.seed ?? scenario?.seed ?? 1,
    connector: connectorOptions(flags, defaults.remoteHost),
    maxPayloadBytes: flags.maxPayloadSize,
    resilience,
    ...(startupTimeoutMs !== null && { startupTimeoutMs }),
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
      `--service-discovery: ${serviceDiscovery} is not supported, expected static: ${NO_DISCOVERY}`,
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

/** Null: for ever, as production-stack waits for its workers, unless the flag says otherwise. */
function startupTimeout(flags: ProxyFlags, dialect: FlagDialect, { health }: ProxyResilience): number | null {
  const isSaid =
    (flags as { readonly workerStartupTimeoutSecs?: number }).workerStartupTimeoutSecs !== undefined;
  if (health === null || (dialect === "production-stack" && !isSaid)) return null;
  return health.startupTimeoutMs;
}

/** Production-stack's time between two checks that are requests, and for their answers, s. */
const PROBE_INTERVAL_S = 60;
const PROBE_TIMEOUT_S = 10;

/** Values by flag; production-stack's names of the health checks come to vllm-router's. */
function resilienceFlags(flags: ProxyFlags): (name: string) => unknown {
  const given = (name: string) => (flags as unknown as Readonly<Record<string, unknown>>)[camel(name)];
  if (flags.staticBackendHealthChecks !== true) return given;
  const { staticBackendHealthCheckInterval, staticBackendHealthCheckTimeoutSeconds } = flags;
  const probes: Readonly<Record<string, number>> = {
    "health-check-interval-secs": staticBackendHealthCheckInterval ?? PROBE_INTERVAL_S,
    "health-check-timeout-secs": staticBackendHealthCheckTimeoutSeconds ?? PROBE_TIMEOUT_S,
  };
  for (const name of [...Object.keys(probes), "health-check-endpoint", "disable-health-checks"]) {
    if (given(name) === undefined) continue;
    throw new InputError(`--${name} with --static-backend-health-checks: expected one of them`);
  }
  return (name) => probes[name] ?? given(name);
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

/** A flag's name as commander has it. */
export function camel(flag: string): string {
  return flag.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
