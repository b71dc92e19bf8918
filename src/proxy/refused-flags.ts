/** Where workers come from instead. */
export const NO_DISCOVERY =
  "workers come from URLs, --worker-file, --prefill-dns and --decode-dns; in Kubernetes, name a headless service";

/** Flags of vllm-router and production-stack that the proxy knows and does not have, by the reason. */
const REFUSALS: readonly (readonly [reason: string, flags: readonly string[]])[] = [
  [
    "its name is --retry-max-retries here, which counts the first attempt too",
    ["max-instance-failover-reroute-attempts"],
  ],
  [
    "the health of all workers is checked; --health-check-interval-secs and the like say how",
    ["backend-health-check-timeout-seconds", "lmcache-health-check-interval", "lmcache-worker-timeout"],
  ],
  [
    NO_DISCOVERY,
    [
      "selector",
      "service-discovery-port",
      "service-discovery-namespace",
      "prefill-selector",
      "decode-selector",
      "vllm-discovery-address",
      "k8s-service-discovery-type",
      "k8s-port",
      "k8s-namespace",
      "k8s-label-selector",
      "k8s-watcher-timeout-seconds",
      "dynamic-config-yaml",
      "dynamic-config-json",
      "external-providers-config",
    ],
  ],
  ["workers name their models with --static-models, or model_id when they are added", ["enable-igw"]],
  [
    "there is no LMCache controller; use --policy precise_prefix",
    [
      "lmcache-controller-port",
      "lmcache-controller-reply-port",
      "lmcache-controller-heartbeat-port",
      "kv-aware-threshold",
    ],
  ],
  ["keys are held against --api-key, and nobody else is asked", ["api-key-validation-urls"]],
  ["the log goes to standard error; --request-log, --event-log and --record write files", ["log-dir"]],
  [
    "traces go by OTLP over HTTP to --otlp-url, and by nothing else",
    [
      "enable-trace",
      "otlp-traces-endpoint",
      "otel-excluded-paths",
      "otel-endpoint",
      "otel-secure",
      "sentry-dsn",
      "sentry-traces-sample-rate",
      "sentry-profile-session-sample-rate",
    ],
  ],
  ["it is called --vllm-pd-disaggregation now", ["pd-disaggregation"]],
  ["it is called --intra-node-data-parallel-size now", ["dp-aware", "data-parallel-size"]],
  [
    "the proxy routes requests and does nothing else with them",
    [
      "history-backend",
      "mini-lb",
      "wasm-middleware",
      "wasm-middleware-sha256",
      "wasm-middleware-route",
      "enable-program-scheduling",
      "program-scheduling-config-json",
      "callbacks",
      "profile",
      "enable-batch-api",
      "file-storage-class",
      "file-storage-path",
      "batch-processor",
      "feature-gates",
      "semantic-cache-model",
      "semantic-cache-dir",
      "semantic-cache-threshold",
    ],
  ],
];

/** Why the proxy does not take a flag of another router, by the flag's name without dashes. */
export const REFUSED_FLAGS: ReadonlyMap<string, string> = new Map(
  REFUSALS.flatMap(([reason, flags]) => flags.map((flag) => [flag, reason] as const)),
);
