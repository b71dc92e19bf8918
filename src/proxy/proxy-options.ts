import { InputError } from "../errors.js";
import type { RouterConfig } from "../routing/router-config.js";
import type { ProxyClock } from "./clock.js";
import type { ConnectorOptions } from "./dialects/connector.js";
import type { Dialect } from "./dialects/dialect.js";
import type { DoorOptions } from "./door/door.js";
import type { TargetRules } from "./door/target-rules.js";
import type { OwnPorts } from "./own-ports.js";
import type { ProcessLog } from "./process-log.js";
import type { ProxyResilience } from "./resilience.js";
import type { TracingOptions } from "./tracing.js";
import type { WorkerUrl } from "./worker-url.js";
import type { WorkerSourceOptions } from "./workers/worker-sources.js";

/** What a proxy is started with. */
export interface ProxyOptions {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly prefill: readonly WorkerUrl[];
  /** Also take every request that is not disaggregated, and all other routes. */
  readonly decode: readonly WorkerUrl[];
  /** Workers that come and go; absent = those named here, and those added by hand. */
  readonly sources?: WorkerSourceOptions;
  /** Models by other names that clients may use. */
  readonly aliases?: ReadonlyMap<string, string>;
  readonly router: RouterConfig;
  readonly seed: number;
  readonly connector: ConnectorOptions;
  /** Header, or member of the body, that holds the session; absent = the usual ones. */
  readonly sessionKey?: string;
  readonly maxPayloadBytes: number;
  /** Time between two polls of the engines' statistics, where the router looks at them. */
  readonly engineStatsIntervalMs: number;
  /** File for every call to the routing core; it holds prompts as symbols. */
  readonly eventLog?: string;
  /** How long the first worker may take to answer before the command gives up; absent = for ever. */
  readonly startupTimeoutMs?: number;
  /** Absent: nothing is logged. */
  readonly log?: ProcessLog;
  /** Time between two lines of figures in the log; absent = none. */
  readonly logStatsIntervalMs?: number;
  /** Called with what was thrown when the proxy itself is at fault; the request it happened to gets 500. */
  readonly onDefect: (error: unknown) => void;
  /** File for a trace of the traffic, without prompts. */
  readonly record?: string;
  /** File for one line per request, or `-`. */
  readonly requestLog?: string;
  readonly tracing?: TracingOptions;
  /** Default: `DEFAULT_RESILIENCE`. */
  readonly resilience?: ProxyResilience;
  /** The router's time; default: the wall clock. */
  readonly clock?: ProxyClock;
  /** The time of connections; default: the wall clock. */
  readonly timers?: ProxyClock;
  /** Default: `OPEN_DOOR`. */
  readonly door?: DoorOptions;
  /** What may become a worker at run time; default: what is not at an address that no worker has. */
  readonly targets?: TargetRules;
  /** Default: everything is on the clients' port. */
  readonly ports?: OwnPorts;
}

/** @throws InputError for options that do not go together. */
export function checkTogether({ decode, prefill, router, sources }: ProxyOptions, dialect: Dialect): void {
  if (decode.length === 0 && sources === undefined)
    throw new InputError("the proxy has no decode worker, expected --decode URL");
  const ids = [...prefill, ...decode].map(({ id }) => id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw new InputError(`worker ${twice} is given twice, expected every URL once`);
  if (router.order === "late_decode" && dialect.needsDecodeFirst && prefill.length > 0) {
    throw new InputError(
      `order late_decode does not go with ${dialect.name}: its prefill leg names the decode worker`,
    );
  }
}
