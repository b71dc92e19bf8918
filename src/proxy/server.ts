import { createServer, type Server } from "node:http";
import { LEGS } from "../routing/request-book.js";
import { Router } from "../routing/router.js";
import type { WorkerSpec } from "../routing/types.js";
import { randomStream } from "../values/random.js";
import { wallClock, type ProxyClock } from "./clock.js";
import type { ProxyCore, ProxyWorker, RequestObserver } from "./core.js";
import { DashboardState } from "./dashboard/dashboard-state.js";
import { DecisionRing } from "./decision-ring.js";
import { dialectOf } from "./dialects/connector.js";
import type { Dialect } from "./dialects/dialect.js";
import { Door, OPEN_DOOR } from "./door/door.js";
import { HEADERS_MAX } from "./door/framing.js";
import { TargetRules } from "./door/target-rules.js";
import { EngineStatsPoller } from "./engine-stats.js";
import { LoggedRouter } from "./event-log.js";
import { Lifetime, type DrainSettings } from "./lifetime.js";
import { ModelNames } from "./model-names.js";
import { ProxyMetrics } from "./metrics.js";
import {
  closeServer,
  listen,
  NO_OWN_PORTS,
  startOwnServers,
  type Gate,
  type OwnServers,
} from "./own-ports.js";
import { checkTogether, type ProxyOptions } from "./proxy-options.js";
import { PromptReader } from "./prompt-reader.js";
import { requestListener } from "./request-listener.js";
import { RequestLog } from "./request-log.js";
import { Limits } from "./limits/limits.js";
import { Retries } from "./retries/retries.js";
import { sessionSource } from "./session-key.js";
import { StatsLog } from "./stats-log.js";
import { TraceRecorder } from "./trace-recorder.js";
import type { Tracing, TracingOptions } from "./tracing.js";
import { DEFAULT_RESILIENCE } from "./resilience.js";
import type { WorkerUrl } from "./worker-url.js";
import { startHealthChecks } from "./workers/health-checks.js";
import { WorkerChanges } from "./workers/worker-changes.js";
import { addWorkerMetrics } from "./workers/worker-metrics.js";
import { WorkerPools } from "./workers/worker-pools.js";
import { WorkerRoster, workerSpec } from "./workers/worker-roster.js";
import { followSources } from "./workers/worker-sources.js";

/** Workers that a small fleet may grow to; a larger one may double. */
const FLEET_MIN = 64;
/** The same where nobody knows beforehand how many there will be. */
const SOURCED_FLEET_MIN = 256;

export interface RunningProxy {
  readonly url: string;
  /** Of the ports of its own, where it has any. */
  readonly ownUrls: OwnServers["urls"];
  readonly router: Router;
  /**
   * Goes by other settings of the router, and by other workers, from the next request on; no stream is touched.
   * Workers that were added at run time stay.
   *
   * @throws InputError for what cannot change while the proxy runs.
   */
  reload(next: Pick<ProxyOptions, "router" | "prefill" | "decode">): void;
  /**
   * Waits until any worker has answered a health check.
   *
   * @returns false when none has in time.
   */
  workerAnswers(timeoutMs: number): Promise<boolean>;
  /** Takes readiness off and lets open requests finish; `close` then ends the proxy. See `Lifetime.drain`. */
  drain(settings: DrainSettings): Promise<number>;
  /** Cuts what is open and resolves when all sockets and files are closed. */
  close(): Promise<void>;
}

/**
 * Starts the proxy.
 *
 * @throws InputError for options that do not go together, WorkError when the address is taken or, with
 *   Mooncake, a bootstrap server does not answer.
 */
export async function startProxy(options: ProxyOptions): Promise<RunningProxy> {
  const dialect = await dialectOf(options.connector, options.prefill, options.decode);
  checkTogether(options, dialect);
  const { clientIdleTimeoutMs, headersTimeoutMs } = (options.resilience ?? DEFAULT_RESILIENCE).limits;
  const server = createServer({
    noDelay: true,
    keepAliveTimeout: clientIdleTimeoutMs,
    headersTimeout: headersTimeoutMs,
    // `Limits` sees to the body.
    requestTimeout: 0,
  });
  server.maxHeadersCount = HEADERS_MAX + 1;
  // Files are opened only once the addresses are ours: a second proxy must not empty those of the first.
  const own = await startOwnServers(options.ports ?? NO_OWN_PORTS);
  try {
    const url = await listen(server, options);
    const tracing = options.tracing === undefined ? null : await startTracing(options.tracing);
    return { ...(await serve(server, own, options, dialect, tracing)), url, ownUrls: own.urls };
  } catch (error) {
    await Promise.all([own.close(), closeServer(server)]);
    throw error;
  }
}

/** OpenTelemetry is loaded by those who use it. */
async function startTracing(options: TracingOptions): Promise<Tracing> {
  const { Tracing } = await import("./tracing.js");
  return Tracing.start(options);
}

/** Lets listening servers answer. */
async function serve(
  server: Server,
  own: OwnServers,
  options: ProxyOptions,
  dialect: Dialect,
  tracing: Tracing | null,
): Promise<Omit<RunningProxy, "url" | "ownUrls">> {
  const pools = new WorkerPools();
  const initial = [
    ...options.prefill.map((url) => pools.worker(url, "prefill")),
    ...options.decode.map((url) => pools.worker(url, "decode")),
  ];
  const router = routerOf(options, initial);
  const [clock, timers] = [options.clock ?? wallClock(), options.timers ?? wallClock()];
  const roster = rosterOf(options, router, initial, clock, timers);
  const { workers } = roster;
  const metrics = new ProxyMetrics(router, workers);
  addWorkerMetrics(metrics.families, roster);
  const decisions = new DecisionRing(workers);
  const recorder = options.record === undefined ? null : new TraceRecorder(options.record);
  const log = options.requestLog === undefined ? null : new RequestLog(options.requestLog, workers);
  const observers: RequestObserver[] = [metrics, decisions];
  const statsLog = statsLogOf(options);
  for (const observer of [recorder, log, statsLog, tracing]) if (observer !== null) observers.push(observer);
  const limits = new Limits(() => roster.settings.limits, timers);
  const core = {
    ...coreOf(options, roster, router, dialect, observers),
    retries: new Retries(() => roster.settings, timers, randomStream(options.seed, "proxy/retries")),
    limits,
    tracing,
    clock,
    timers,
    nowMs: () => clock.nowMs(),
  };
  limits.addMetrics(metrics.families);
  const dashboard = new DashboardState(core, metrics);
  observers.push(dashboard);
  const changes = new WorkerChanges(roster, pools, dialect, timers, options.targets ?? new TargetRules([]));
  const source = { core, metrics, decisions, dashboard, changes };
  const door = new Door(options.door ?? OPEN_DOOR);
  const lifetime = new Lifetime(timers);
  const { ports = NO_OWN_PORTS } = options;
  const listener = (gate: Gate) => requestListener({ source, door, gate, ports, lifetime });
  server.on("request", listener("clients"));
  own.answer("admin", listener("admin"));
  own.answer("metrics", listener("metrics"));
  const warn = (message: string) => options.log?.say("warn", message);
  const { sources } = options;
  const stopFollowing = sources === undefined ? null : await followSources(sources, changes, timers, warn);
  const stopChecks = startHealthChecks(roster, timers, options.door?.workerKey ?? null);
  let poller: EngineStatsPoller | null = null;
  const pollIfNeeded = () => {
    if (router.usesStats()) {
      poller ??= new EngineStatsPoller(router, workers, options.engineStatsIntervalMs, core.clock);
    }
  };
  pollIfNeeded();
  const { logStatsIntervalMs } = options;
  const stopStatsLog =
    logStatsIntervalMs === undefined ? null : statsLog?.start(core, core.clock, logStatsIntervalMs);
  const shut = async () => {
    stopChecks();
    stopFollowing?.();
    changes.close();
    limits.close();
    poller?.stop();
    stopStatsLog?.();
    dashboard.close();
    await Promise.all([own.close(), closeServer(server)]);
    await pools.destroy();
    if (router instanceof LoggedRouter) await router.closeLog();
    await Promise.all([recorder?.close(), log?.close(), tracing?.close()]);
  };
  let closing: Promise<void> | null = null;
  let listed = options as Pick<ProxyOptions, "prefill" | "decode">;
  return {
    router,
    reload: (next) => {
      router.reconfigure(next.router);
      pollIfNeeded();
      changeListed(changes, listed, next);
      listed = next;
    },
    workerAnswers: (timeoutMs) => changes.anyAnswered(timeoutMs),
    drain: (settings) => lifetime.drain(settings),
    close: () => (closing ??= shut()),
  };
}

/** Adds workers that are listed now, removes those that were. */
function changeListed(
  changes: WorkerChanges,
  before: Pick<ProxyOptions, "prefill" | "decode">,
  after: Pick<ProxyOptions, "prefill" | "decode">,
): void {
  for (const leg of LEGS) {
    const ids = (urls: readonly WorkerUrl[]) => new Set(urls.map(({ id }) => id));
    const [were, are] = [ids(before[leg]), ids(after[leg])];
    for (const url of after[leg]) if (!were.has(url.id)) changes.add(url, leg);
    for (const id of were) if (!are.has(id)) changes.remove(id);
  }
}

function statsLogOf({ log, logStatsIntervalMs }: ProxyOptions): StatsLog | null {
  if (log === undefined) return null;
  return logStatsIntervalMs !== undefined || log.shows("debug") ? new StatsLog(log) : null;
}

function routerOf(
  { router, seed, eventLog, sources }: ProxyOptions,
  workers: readonly ProxyWorker[],
): Router {
  const specs: WorkerSpec[] = workers.map(workerSpec);
  const capacity = Math.max(sources === undefined ? FLEET_MIN : SOURCED_FLEET_MIN, 2 * workers.length);
  return eventLog === undefined
    ? new Router(router, specs, seed, capacity)
    : new LoggedRouter(router, specs, seed, capacity, eventLog);
}

function rosterOf(
  { resilience = DEFAULT_RESILIENCE, seed }: ProxyOptions,
  router: Router,
  workers: readonly ProxyWorker[],
  clock: ProxyClock,
  timers: ProxyClock,
): WorkerRoster {
  const times = { routerMs: () => clock.nowMs(), wallMs: () => timers.nowMs() };
  return new WorkerRoster(router, workers, resilience, times, randomStream(seed, "proxy/health checks"));
}

function coreOf(
  options: ProxyOptions,
  roster: WorkerRoster,
  router: Router,
  dialect: Dialect,
  observers: readonly RequestObserver[],
): Omit<ProxyCore, "retries" | "limits" | "tracing" | "clock" | "timers" | "nowMs"> {
  let requests = 0;
  return {
    router,
    roster,
    workers: roster.workers,
    dialect,
    withoutPrefillWorker: options.router.withoutPrefillWorker,
    models: new ModelNames(options.aliases ?? new Map<string, string>(), roster, Date.now()),
    prompts: new PromptReader(),
    sessions: sessionSource(options.sessionKey),
    observers,
    maxPayloadBytes: options.maxPayloadBytes,
    onDefect: options.onDefect,
    nextId: () => requests++,
  };
}
