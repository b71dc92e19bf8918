/** Active checks of a worker: `GET` of an endpoint that answers 2xx. Times are wall milliseconds. */
export interface HealthSettings {
  readonly endpoint: string;
  /** Between two checks of a worker that is up; each is moved by up to a tenth, so that they spread. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Failures in a row that take a worker down; a connection that cannot be made counts as one. */
  readonly failureThreshold: number;
  /** Successes in a row that bring it back. */
  readonly successThreshold: number;
  /** How long a worker that is added at run time, or the first of all, may take to answer for the first time. */
  readonly startupTimeoutMs: number;
  /** Longest time between two checks of a worker that has never answered. */
  readonly startupCheckIntervalMs: number;
}

/** The circuit breaker of each worker. */
export interface BreakerSettings {
  /** Failures in a row, within `windowMs`, that open it. */
  readonly failureThreshold: number;
  readonly windowMs: number;
  /** Successful probes in a row that close it. */
  readonly successThreshold: number;
  /** Time from opening to the first probe. */
  readonly openMs: number;
}

/** Other attempts at a request of which the client has seen nothing yet. */
export interface RetrySettings {
  /** Attempts at one request, the first one included. */
  readonly attemptsMax: number;
  readonly initialBackoffMs: number;
  readonly maxBackoffMs: number;
  readonly backoffMultiplier: number;
  /** Each wait is moved by up to this share of it, either way. */
  readonly jitterShare: number;
  /** Retries that are allowed for each request, over all requests: a fleet that is down is not flooded. */
  readonly budgetShare: number;
  /** Retries that are always allowed on top of that, per second. */
  readonly budgetPerS: number;
}

/** What one proxy takes on. Null: no such limit. */
export interface LimitSettings {
  /** Requests that are open at a time, their streams included. */
  readonly concurrentMax: number;
  /** Requests that wait for a place; more get 429. */
  readonly queueSize: number;
  /** Longest wait for a place; then 408. */
  readonly queueTimeoutMs: number;
  /** Requests that begin in a second. */
  readonly ratePerS: number | null;
  /** From the arrival of a request to the end of its answer. */
  readonly requestTimeoutMs: number | null;
  /** From the connection, or the end of the request before, to the end of a request's headers. */
  readonly headersTimeoutMs: number;
  /** Longest pause within the body of a request. */
  readonly bodyIdleTimeoutMs: number;
  /** How long a client's connection may be idle between requests. */
  readonly clientIdleTimeoutMs: number;
  /** Longest time a worker may say nothing, before and in its answer. */
  readonly workerIdleTimeoutMs: number | null;
  /** Longest time a client may not take what is there for it. */
  readonly slowReaderTimeoutMs: number | null;
}

/** How the proxy lives with workers that fail and with more clients than it can serve. Null: switched off. */
export interface ProxyResilience {
  readonly health: HealthSettings | null;
  readonly breaker: BreakerSettings | null;
  readonly retries: RetrySettings | null;
  readonly limits: LimitSettings;
  /** Time in which a worker that is new or back is brought up to its full share; 0 = at once. */
  readonly slowStartMs: number;
  /** How long a worker that is removed may take with what it has; null = as long as it needs. */
  readonly workerDrainMs: number | null;
}

/** vllm-router 0.1.14's defaults (Rust command line) where it has the setting; nginx's for slow clients. */
export const DEFAULT_RESILIENCE: ProxyResilience = {
  health: {
    endpoint: "/health",
    intervalMs: 60_000,
    timeoutMs: 5000,
    failureThreshold: 3,
    successThreshold: 2,
    startupTimeoutMs: 600_000,
    startupCheckIntervalMs: 30_000,
  },
  breaker: { failureThreshold: 10, windowMs: 120_000, successThreshold: 3, openMs: 60_000 },
  retries: {
    attemptsMax: 5,
    initialBackoffMs: 50,
    maxBackoffMs: 30_000,
    backoffMultiplier: 1.5,
    jitterShare: 0.2,
    budgetShare: 0.2,
    budgetPerS: 10,
  },
  limits: {
    concurrentMax: 32_768,
    queueSize: 100,
    queueTimeoutMs: 60_000,
    ratePerS: null,
    requestTimeoutMs: 1_800_000,
    headersTimeoutMs: 60_000,
    bodyIdleTimeoutMs: 60_000,
    clientIdleTimeoutMs: 65_000,
    workerIdleTimeoutMs: null,
    slowReaderTimeoutMs: 60_000,
  },
  slowStartMs: 0,
  workerDrainMs: null,
};
