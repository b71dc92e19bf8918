/**
 * Every flag of the routers that the proxy stands in for: vllm-router 0.1.14 (its Rust binary and Python launcher,
 * `docs/cli_reference.md`) and production-stack main (`parser.py`), with those of #222 and #890.
 */

/** What a flag that the proxy has comes to. */
export interface HonouredFlag {
  /** The flag and its value, added to the base command line. */
  readonly args: readonly string[];
  /** Part of `ProxyOptions` that it brings about, and that is not so without it. */
  readonly brings?: object;
  /** The only value there is: any other is refused. */
  readonly only?: string;
  /** Base command line, where it is not that of the product. */
  readonly base?: readonly string[];
}

export interface ProductFlags {
  readonly base: readonly string[];
  readonly honoured: Readonly<Record<string, HonouredFlag>>;
  readonly refused: readonly string[];
}

const PREFILL = ["--prefill", "http://p:1", "none"];
const DECODE = ["--decode", "http://d:1"];
const PD = ["--vllm-pd-disaggregation", ...PREFILL, ...DECODE];
const REGULAR = ["--worker-urls", "http://w:1", "http://w:2"];

const sets = (flag: string, value: string, brings: object, base?: readonly string[]): HonouredFlag => ({
  args: [flag, value],
  brings,
  ...(base !== undefined && { base }),
});
const bothPolicies = (choice: object) => ({ router: { prefillPolicy: choice, decodePolicy: choice } });
const health = (settings: object) => ({ resilience: { health: settings } });
const breaker = (settings: object) => ({ resilience: { breaker: settings } });
const retries = (settings: object) => ({ resilience: { retries: settings } });
const limits = (settings: object) => ({ resilience: { limits: settings } });
const parameter = (name: string, value: number) => bothPolicies({ params: { [name]: value } });

export const VLLM_ROUTER: ProductFlags = {
  base: PD,
  honoured: {
    host: sets("--host", "0.0.0.0", { host: "0.0.0.0" }),
    port: sets("--port", "8090", { port: 8090 }),
    "max-payload-size": sets("--max-payload-size", "1000", { maxPayloadBytes: 1000 }),
    "worker-urls": {
      base: [],
      args: REGULAR,
      brings: { decode: [{ id: "http://w:1" }, { id: "http://w:2" }] },
    },
    "vllm-pd-disaggregation": {
      base: [...PREFILL, ...DECODE],
      args: ["--vllm-pd-disaggregation"],
      brings: bothPolicies({ name: "cache_aware" }),
    },
    prefill: sets("--prefill", "http://p:2", { prefill: [{}, { id: "http://p:2" }] }),
    decode: sets("--decode", "http://d:2", { decode: [{}, { id: "http://d:2" }] }),
    "intra-node-data-parallel-size": sets("--intra-node-data-parallel-size", "2", {
      prefill: [{ rank: 0 }, { rank: 1 }],
    }),
    "prefill-data-parallel-size": sets("--prefill-data-parallel-size", "2", {
      prefill: [{ rank: 0 }, { rank: 1 }],
      decode: [{ rank: null }],
    }),
    "decode-data-parallel-size": sets("--decode-data-parallel-size", "2", {
      prefill: [{ rank: null }],
      decode: [{ rank: 0 }, { rank: 1 }],
    }),
    policy: sets("--policy", "consistent_hash", bothPolicies({ name: "consistent_hash" })),
    "prefill-policy": sets("--prefill-policy", "random", { router: { prefillPolicy: { name: "random" } } }),
    "decode-policy": sets("--decode-policy", "power_of_two", {
      router: { decodePolicy: { name: "power_of_two" } },
    }),
    "cache-threshold": sets("--cache-threshold", "0.7", parameter("cache_threshold", 0.7)),
    "balance-abs-threshold": sets("--balance-abs-threshold", "3", parameter("balance_abs_threshold", 3)),
    "balance-rel-threshold": sets("--balance-rel-threshold", "1.1", parameter("balance_rel_threshold", 1.1)),
    "eviction-interval": sets("--eviction-interval", "7", parameter("eviction_interval_s", 7)),
    "eviction-interval-secs": sets("--eviction-interval-secs", "7", parameter("eviction_interval_s", 7)),
    "max-tree-size": sets("--max-tree-size", "999", parameter("max_tree_size", 999)),
    "health-check-endpoint": sets("--health-check-endpoint", "/ping", health({ endpoint: "/ping" })),
    "health-check-interval-secs": sets("--health-check-interval-secs", "7", health({ intervalMs: 7000 })),
    "health-check-timeout-secs": sets("--health-check-timeout-secs", "7", health({ timeoutMs: 7000 })),
    "health-failure-threshold": sets("--health-failure-threshold", "7", health({ failureThreshold: 7 })),
    "health-success-threshold": sets("--health-success-threshold", "7", health({ successThreshold: 7 })),
    "worker-startup-timeout-secs": sets(
      "--worker-startup-timeout-secs",
      "7",
      health({ startupTimeoutMs: 7000 }),
    ),
    "worker-startup-check-interval": sets(
      "--worker-startup-check-interval",
      "7",
      health({ startupCheckIntervalMs: 7000 }),
    ),
    "cb-failure-threshold": sets("--cb-failure-threshold", "7", breaker({ failureThreshold: 7 })),
    "cb-success-threshold": sets("--cb-success-threshold", "7", breaker({ successThreshold: 7 })),
    "cb-timeout-duration-secs": sets("--cb-timeout-duration-secs", "7", breaker({ openMs: 7000 })),
    "cb-window-duration-secs": sets("--cb-window-duration-secs", "7", breaker({ windowMs: 7000 })),
    "disable-circuit-breaker": {
      args: ["--disable-circuit-breaker"],
      brings: { resilience: { breaker: null } },
    },
    "retry-max-retries": sets("--retry-max-retries", "7", retries({ attemptsMax: 7 })),
    "retry-initial-backoff-ms": sets("--retry-initial-backoff-ms", "7", retries({ initialBackoffMs: 7 })),
    "retry-max-backoff-ms": sets("--retry-max-backoff-ms", "7", retries({ maxBackoffMs: 7 })),
    "retry-backoff-multiplier": sets("--retry-backoff-multiplier", "7", retries({ backoffMultiplier: 7 })),
    "retry-jitter-factor": sets("--retry-jitter-factor", "0.7", retries({ jitterShare: 0.7 })),
    "disable-retries": { args: ["--disable-retries"], brings: { resilience: { retries: null } } },
    "max-concurrent-requests": sets("--max-concurrent-requests", "7", limits({ concurrentMax: 7 })),
    "queue-size": sets("--queue-size", "0", limits({ queueSize: 0 })),
    "queue-timeout-secs": sets("--queue-timeout-secs", "7", limits({ queueTimeoutMs: 7000 })),
    "rate-limit-tokens-per-second": sets("--rate-limit-tokens-per-second", "7", limits({ ratePerS: 7 })),
    "request-timeout-secs": sets("--request-timeout-secs", "7", limits({ requestTimeoutMs: 7000 })),
    "kv-connector": sets("--kv-connector", "mooncake", { connector: { connector: "mooncake" } }),
    "log-level": sets("--log-level", "warning", { log: { threshold: 3 } }),
    "api-key": sets("--api-key", "k", { door: { apiKey: "k" } }),
    "cors-allowed-origins": sets("--cors-allowed-origins", "https://a.example", {
      door: { corsOrigins: ["https://a.example"] },
    }),
    "request-id-headers": {
      args: ["--request-id-headers", "X-Trace-Id", "x-request-id"],
      brings: { door: { requestIdHeaders: ["x-trace-id", "x-request-id"] } },
    },
    "prometheus-port": sets("--prometheus-port", "9000", {
      ports: { metrics: { host: "127.0.0.1", port: 9000 } },
    }),
    "prometheus-host": sets("--prometheus-host", "0.0.0.0", {
      ports: { metrics: { host: "0.0.0.0", port: 29000 } },
    }),
    backend: { args: ["--backend", "vllm"], only: "vllm" },
    runtime: { args: ["--runtime", "vllm"], only: "vllm" },
    "otel-sampling-ratio": {
      base: [...PD, "--otlp-url", "http://c:4318"],
      args: ["--otel-sampling-ratio", "0.1"],
      brings: { tracing: { samplingRatio: 0.1 } },
    },
  },
  refused: [
    ...["mini-lb", "enable-igw"],
    ...["history-backend", "profile", "vllm-discovery-address", "enable-program-scheduling"],
    ...["program-scheduling-config-json", "selector", "service-discovery-port"],
    ...["service-discovery-namespace", "prefill-selector", "decode-selector"],
    ...["log-dir", "enable-trace", "otlp-traces-endpoint", "otel-excluded-paths"],
    ...["api-key-validation-urls", "wasm-middleware", "wasm-middleware-sha256", "wasm-middleware-route"],
    // Names of older scripts.
    ...["pd-disaggregation", "dp-aware", "data-parallel-size"],
  ],
};

const BACKENDS = ["--service-discovery", "static", "--static-backends", "http://a:1,http://b:1"];
const DISAGGREGATED = [
  ...BACKENDS,
  ...["--static-model-labels", "p,d", "--prefill-model-labels", "p", "--decode-model-labels", "d"],
  ...["--routing-logic", "disaggregated_prefill"],
];
const PROBED = [
  ...BACKENDS,
  ...["--static-models", "m,m", "--static-model-types", "chat,chat", "--static-backend-health-checks"],
];
const LMCACHE = [...DISAGGREGATED, "--disagg-connector-type", "lmcache"];

export const PRODUCTION_STACK: ProductFlags = {
  base: [...BACKENDS, "--static-models", "m,m", "--routing-logic", "roundrobin"],
  honoured: {
    host: sets("--host", "0.0.0.0", { host: "0.0.0.0" }),
    port: sets("--port", "8000", { port: 8000 }),
    "service-discovery": { args: ["--service-discovery", "static"], only: "static" },
    "static-backends": {
      base: [],
      args: ["--static-backends", "http://a:1,http://b:1"],
      brings: { decode: [{ id: "http://a:1" }, { id: "http://b:1" }] },
    },
    "static-models": {
      args: ["--static-models", "m,other"],
      brings: { decode: [{ model: "m" }, { model: "other" }] },
    },
    "static-aliases": sets("--static-aliases", "gpt4:m", { aliases: new Map([["gpt4", "m"]]) }),
    "static-model-types": {
      base: [...BACKENDS, "--static-models", "m,m", "--static-backend-health-checks"].concat(
        "--static-model-types",
        "chat,chat",
      ),
      args: ["--static-model-types", "chat,completion"],
      brings: {
        decode: [{ probe: { path: "/v1/chat/completions" } }, { probe: { path: "/v1/completions" } }],
      },
    },
    "static-backend-health-checks": {
      base: [...BACKENDS, "--static-models", "m,m", "--static-model-types", "chat,chat"],
      args: ["--static-backend-health-checks"],
      brings: { decode: [{ probe: { path: "/v1/chat/completions" } }, {}], ...health({ timeoutMs: 10_000 }) },
    },
    "static-backend-health-check-interval": sets(
      "--static-backend-health-check-interval",
      "7",
      health({ intervalMs: 7000 }),
      PROBED,
    ),
    "static-backend-health-check-timeout-seconds": sets(
      "--static-backend-health-check-timeout-seconds",
      "7",
      health({ timeoutMs: 7000 }),
      PROBED,
    ),
    "static-model-labels": {
      base: [...BACKENDS, "--static-model-labels", "d,p", ...DISAGGREGATED.slice(6)],
      args: ["--static-model-labels", "p,d"],
      brings: { prefill: [{ id: "http://a:1" }], decode: [{ id: "http://b:1" }] },
    },
    "prefill-model-labels": {
      base: DISAGGREGATED,
      args: ["--prefill-model-labels", "d"],
      brings: { prefill: [{ id: "http://b:1" }] },
    },
    "decode-model-labels": {
      base: DISAGGREGATED,
      args: ["--decode-model-labels", "p"],
      brings: { decode: [{ id: "http://a:1" }] },
    },
    "routing-logic": sets("--routing-logic", "session", {
      router: { decodePolicy: { name: "consistent_hash" } },
    }),
    "session-key": sets("--session-key", "x-user-id", { sessionKey: "x-user-id" }),
    "engine-stats-interval": sets("--engine-stats-interval", "10", { engineStatsIntervalMs: 10_000 }),
    "request-stats-window": {
      base: ["--load-balancing-strategy", "qps", ...DISAGGREGATED],
      args: ["--request-stats-window", "10"],
      brings: parameter("request_stats_window_s", 10),
    },
    "prefix-min-match-length": {
      base: [...BACKENDS, "--routing-logic", "prefixaware"],
      args: ["--prefix-min-match-length", "256"],
      brings: { router: { decodePolicy: { params: { prefix_min_match_length: 256 } } } },
    },
    "log-stats": { args: ["--log-stats"], brings: { logStatsIntervalMs: 10_000 } },
    "log-stats-interval": {
      args: ["--log-stats", "--log-stats-interval", "5"],
      brings: { logStatsIntervalMs: 5000 },
    },
    "log-level": sets("--log-level", "critical", { log: { threshold: 5 } }),
    "log-format": sets("--log-format", "json", { log: { format: "json" } }),
    "root-path": sets("--root-path", "/vllm/", { door: { rootPath: "/vllm" } }),
    "request-rewriter": { args: ["--request-rewriter", "noop"], only: "noop" },
    "otel-service-name": {
      base: [...BACKENDS, "--otlp-url", "http://c:4318"],
      args: ["--otel-service-name", "mine"],
      brings: { tracing: { serviceName: "mine" } },
    },
    "routing-threshold": sets(
      "--routing-threshold",
      "4096",
      { router: { decider: { params: { routing_threshold: 4096 } } } },
      DISAGGREGATED,
    ),
    "load-balancing-strategy": sets(
      "--load-balancing-strategy",
      "least_loaded",
      bothPolicies({ name: "least_loaded" }),
      DISAGGREGATED,
    ),
    "disagg-connector-type": sets(
      "--disagg-connector-type",
      "lmcache",
      { connector: { connector: "lmcache" } },
      DISAGGREGATED,
    ),
    "decoder-host": sets("--decoder-host", "h", { connector: { decoders: { host: "h" } } }, LMCACHE),
    "decoder-init-port": sets(
      "--decoder-init-port",
      "1",
      { connector: { decoders: { initPort: "1" } } },
      LMCACHE,
    ),
    "decoder-alloc-port": sets(
      "--decoder-alloc-port",
      "2",
      { connector: { decoders: { allocPort: "2" } } },
      LMCACHE,
    ),
    "decoder-registry": sets(
      "--decoder-registry",
      "{}",
      { connector: { decoders: { registry: "{}" } } },
      LMCACHE,
    ),
  },
  refused: [
    ...["k8s-service-discovery-type", "k8s-port", "k8s-namespace", "k8s-label-selector"],
    ...["k8s-watcher-timeout-seconds", "backend-health-check-timeout-seconds", "lmcache-controller-port"],
    ...["lmcache-controller-reply-port", "lmcache-controller-heartbeat-port", "callbacks"],
    ...["enable-batch-api", "file-storage-class", "file-storage-path", "batch-processor"],
    ...["dynamic-config-yaml", "dynamic-config-json", "feature-gates", "sentry-dsn"],
    ...["sentry-traces-sample-rate", "sentry-profile-session-sample-rate", "otel-endpoint", "otel-secure"],
    ...["kv-aware-threshold", "max-instance-failover-reroute-attempts", "lmcache-health-check-interval"],
    ...["lmcache-worker-timeout", "external-providers-config", "semantic-cache-model"],
    ...["semantic-cache-dir", "semantic-cache-threshold"],
  ],
};
