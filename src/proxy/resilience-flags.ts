import { InputError } from "../errors.js";
import { DEFAULT_RESILIENCE, type ProxyResilience } from "./resilience.js";

type Part = "health" | "breaker" | "retries" | "limits";

/** A flag for one number, or text, of the settings. */
export interface ResilienceFlag {
  /** vllm-router's name where it has the setting, without dashes. */
  readonly name: string;
  /** `seconds` become milliseconds. */
  readonly kind: "count" | "size" | "seconds" | "ms" | "factor" | "share" | "path";
  readonly part: Part | null;
  readonly setting: string;
  readonly help: string;
}

function flagsOf(
  part: Part | null,
  rows: readonly (readonly [string, ResilienceFlag["kind"], string, string])[],
) {
  return rows.map(([name, kind, setting, help]): ResilienceFlag => ({ name, kind, part, setting, help }));
}

export const RESILIENCE_FLAGS: readonly ResilienceFlag[] = [
  ...flagsOf("health", [
    ["health-check-endpoint", "path", "endpoint", "path that a healthy worker answers with 2xx"],
    ["health-check-interval-secs", "seconds", "intervalMs", "time between checks of a worker that is up"],
    ["health-check-timeout-secs", "seconds", "timeoutMs", "longest time for an answer"],
    ["health-failure-threshold", "count", "failureThreshold", "failures in a row that take a worker down"],
    ["health-success-threshold", "count", "successThreshold", "successes in a row that bring it back"],
    [
      "worker-startup-timeout-secs",
      "seconds",
      "startupTimeoutMs",
      "how long an added worker, or the first, may take",
    ],
    [
      "worker-startup-check-interval",
      "seconds",
      "startupCheckIntervalMs",
      "longest time between checks of a worker that has never answered",
    ],
  ]),
  ...flagsOf("breaker", [
    ["cb-failure-threshold", "count", "failureThreshold", "failures in a row that open a worker's breaker"],
    ["cb-window-duration-secs", "seconds", "windowMs", "time within which those failures count"],
    ["cb-timeout-duration-secs", "seconds", "openMs", "time until an open breaker lets a probe through"],
    ["cb-success-threshold", "count", "successThreshold", "probes in a row that close it"],
  ]),
  ...flagsOf("retries", [
    ["retry-max-retries", "count", "attemptsMax", "attempts at one request, the first one included"],
    ["retry-initial-backoff-ms", "ms", "initialBackoffMs", "wait before the second attempt"],
    ["retry-max-backoff-ms", "ms", "maxBackoffMs", "longest wait, for Retry-After too"],
    ["retry-backoff-multiplier", "factor", "backoffMultiplier", "each wait by the one before"],
    ["retry-jitter-factor", "share", "jitterShare", "share by which a wait is moved, either way"],
    ["retry-budget-share", "share", "budgetShare", "retries that each request brings, over all requests"],
    ["retry-budget-per-sec", "factor", "budgetPerS", "retries that there are on top, each second"],
  ]),
  ...flagsOf("limits", [
    [
      "max-concurrent-requests",
      "count",
      "concurrentMax",
      "requests that are open at a time, with their streams",
    ],
    ["queue-size", "size", "queueSize", "requests that wait for a place; more get 429"],
    ["queue-timeout-secs", "seconds", "queueTimeoutMs", "longest wait for a place; then 408"],
    ["rate-limit-tokens-per-second", "factor", "ratePerS", "requests that begin in a second"],
    [
      "request-timeout-secs",
      "seconds",
      "requestTimeoutMs",
      "from arrival to the end of the answer; then 504",
    ],
    ["client-headers-timeout-secs", "seconds", "headersTimeoutMs", "longest time for a request's headers"],
    [
      "client-body-timeout-secs",
      "seconds",
      "bodyIdleTimeoutMs",
      "longest pause in a request's body; then 408",
    ],
    ["client-idle-timeout-secs", "seconds", "clientIdleTimeoutMs", "how long a connection may be idle"],
    [
      "slow-reader-timeout-secs",
      "seconds",
      "slowReaderTimeoutMs",
      "how long a client may leave data waiting",
    ],
    ["worker-idle-timeout-secs", "seconds", "workerIdleTimeoutMs", "how long a worker may be silent"],
  ]),
  ...flagsOf(null, [
    [
      "worker-drain-timeout-secs",
      "seconds",
      "workerDrainMs",
      "how long a removed worker may take with what it has; then it is cut",
    ],
    ["slow-start-secs", "seconds", "slowStartMs", "time in which a new worker gets up to its full share"],
  ]),
];

/** Flags that switch a part off. */
export const RESILIENCE_SWITCHES: Readonly<
  Partial<Record<Part, { readonly name: string; readonly help: string }>>
> = {
  health: { name: "disable-health-checks", help: "take every worker to be up" },
  breaker: { name: "disable-circuit-breaker", help: "send to workers however often they fail" },
  retries: { name: "disable-retries", help: "one attempt at each request" },
};

/** What `flag` is when nobody says it, in its own unit; null = there is no limit. */
export function defaultOf({ part, setting, kind }: ResilienceFlag): number | string | null {
  const value = settingsOf(DEFAULT_RESILIENCE, part)[setting] ?? null;
  return kind === "seconds" && value !== null ? (value as number) / 1000 : value;
}

/**
 * The settings that flags stand for; what no flag says is the default.
 *
 * @param given Value of a flag by its name without dashes, undefined where it is not given.
 * @throws InputError for a flag of something that another flag switches off, and for a wrong path.
 */
export function resilienceOf(given: (name: string) => unknown): ProxyResilience {
  const settings = structuredClone(DEFAULT_RESILIENCE) as unknown as Record<string, object | null>;
  for (const flag of RESILIENCE_FLAGS) {
    const value = given(flag.name) as number | string | undefined;
    if (value === undefined) continue;
    const part = flag.part === null ? null : RESILIENCE_SWITCHES[flag.part];
    if (part != null && given(part.name) === true) {
      throw new InputError(`--${flag.name} has no effect with --${part.name}, expected one of them`);
    }
    if (flag.kind === "path" && !/^\/\S*$/.test(String(value))) {
      throw new InputError(`--${flag.name}: got ${value}, expected a path such as /health`);
    }
    const inSettings = flag.kind === "seconds" ? (value as number) * 1000 : value;
    Object.assign(flag.part === null ? settings : settings[flag.part]!, { [flag.setting]: inSettings });
  }
  for (const [part, { name }] of Object.entries(RESILIENCE_SWITCHES)) {
    if (given(name) === true) settings[part] = null;
  }
  return settings as unknown as ProxyResilience;
}

function settingsOf(settings: ProxyResilience, part: Part | null): Readonly<Record<string, number | string>> {
  const holder = part === null ? settings : settings[part]!;
  return holder as unknown as Readonly<Record<string, number | string>>;
}
