import { randomInt } from "node:crypto";
import type { Pool } from "undici";
import type { Router } from "../routing/router.js";
import type { RouterConfig } from "../routing/router-config.js";
import type { Leg, LegOutcome, RouteDecision, RoutingRequest } from "../routing/types.js";
import type { ProxyClock } from "./clock.js";
import type { Dialect } from "./dialects/dialect.js";
import type { GenerationApi } from "./generation-api.js";
import type { ModelNames } from "./model-names.js";
import type { PromptReader } from "./prompt-reader.js";
import type { Limits } from "./limits/limits.js";
import type { Retries } from "./retries/retries.js";
import type { SessionSource } from "./session-key.js";
import type { Tracing } from "./tracing.js";
import type { WorkerUrl } from "./worker-url.js";
import type { WorkerRoster } from "./workers/worker-roster.js";

/** A worker behind the proxy. Its place in `ProxyCore.workers` is its index in the routing core. */
export interface ProxyWorker extends WorkerUrl {
  readonly leg: Leg;
  /** Connections to the worker's server; ranks of one server share them. */
  readonly pool: Pool;
  /** Removed: it gets no requests, and its place may go to another worker when nothing is open on it. */
  left: boolean;
  /** When what is still open on a worker that was removed is cut, ms of the connections' clock; Infinity = never. */
  cutMs: number;
}

export type RequestOutcome = "completed" | "failed" | "retryable" | "cancelled";

/** What the proxy knows of a request while it is open; times are ms of the proxy's clock. */
export interface RequestFacts {
  /** Number in the routing core. */
  readonly id: number;
  readonly requestId: string;
  /** Path of the request, without its query. */
  readonly path: string;
  /** Null: a route of the engine's own. */
  readonly api: GenerationApi | null;
  /** When the whole request was there. */
  readonly receivedMs: number;
  readonly promptTokens: number;
  readonly sessionKey: string | null;
  /** Empty where the request names none, or nobody looks at it. */
  readonly model: string;
  readonly priority: number;
  /** When the first byte of a successful answer's body came; null before. */
  firstByteMs: number | null;
  /** Replaced when another worker is chosen for a leg, or, under the order `late_decode`, the first. */
  decision: RouteDecision;
  /** Wall time the routing core took for it, ms; with a late choice of the decode worker, for both choices. */
  decisionMs: number;
}

/** Who watches requests go by. Calls come in order; `onEnd` exactly once for each `onRouted`. */
export interface RequestObserver {
  /**
   * @param request As the routing core got it; its prefix is valid during the call only.
   * @param decisionMs Time the decision took.
   */
  onRouted?(facts: RequestFacts, request: RoutingRequest, decisionMs: number): void;
  /** A leg goes to `worker`. */
  onLegSent?(facts: RequestFacts, leg: Leg, worker: number): void;
  /** Exactly once for each `onLegSent`. */
  onLegEnd?(facts: RequestFacts, leg: Leg, worker: number, outcome: LegOutcome): void;
  /** A piece of the answer has arrived from the decode worker, which answered with `status`. */
  onAnswer?(facts: RequestFacts, status: number, chunk: Buffer, nowMs: number): void;
  /**
   * A leg has failed before the client has seen anything, and is tried again.
   *
   * @param retry Number of the retry, from 1.
   */
  onRetry?(facts: RequestFacts, retry: number, waitMs: number): void;
  /** The last attempt that a request may have has failed. */
  onRetriesExhausted?(facts: RequestFacts): void;
  /** @param status The client's; 499 = it left before there was one. */
  onEnd?(facts: RequestFacts, outcome: RequestOutcome, status: number, nowMs: number): void;
}

/** What all requests of one proxy share. */
export interface ProxyCore {
  readonly router: Router;
  readonly roster: WorkerRoster;
  /** Those of the roster, removed ones included. */
  readonly workers: readonly ProxyWorker[];
  readonly dialect: Dialect;
  readonly prompts: PromptReader;
  readonly models: ModelNames;
  readonly sessions: SessionSource;
  readonly observers: readonly RequestObserver[];
  readonly retries: Retries;
  readonly limits: Limits;
  /** What becomes of a request whose prefill no worker takes. */
  readonly withoutPrefillWorker: RouterConfig["withoutPrefillWorker"];
  /** Null: nothing is traced, and a client's `traceparent` goes through as it is. */
  readonly tracing: Tracing | null;
  readonly maxPayloadBytes: number;
  readonly clock: ProxyClock;
  /** The time in which connections live: health, breakers, retries, limits. */
  readonly timers: ProxyClock;
  /** Time of `clock`. */
  nowMs(): number;
  /** Something was thrown that is no fault of client or worker; its request has failed. */
  onDefect(error: unknown): void;
  /** A number no request of this proxy had before. */
  nextId(): number;
}

/** Uniform in [0, 2^63): a rendezvous that no other proxy is likely to draw at the same time. */
export function drawRoom(): bigint {
  const part = () => BigInt(randomInt(2 ** 21));
  return (part() << 42n) | (part() << 21n) | part();
}
