import { Option, type Command } from "commander";
import { InputError } from "../errors.js";
import type { DoorOptions } from "../proxy/door/door.js";
import { TargetRules } from "../proxy/door/target-rules.js";
import type { FlagDialect } from "../proxy/flag-dialect.js";
import type { ListenAddress, OwnPorts } from "../proxy/own-ports.js";
import { wholeNumberFlag } from "./number-flags.js";

/** Flags that say who may come in, and where. */
export interface SecurityFlags {
  readonly apiKey?: string;
  readonly workerApiKey?: string;
  readonly forwardAuthorization?: boolean;
  readonly requestIdHeaders?: readonly string[];
  readonly corsAllowedOrigins?: readonly string[];
  readonly rootPath?: string;
  readonly adminHost?: string;
  readonly adminPort?: number;
  readonly prometheusHost?: string;
  readonly prometheusPort?: number;
  readonly allowWorker?: readonly string[];
}

/** vllm-router's. */
const PROMETHEUS_PORT = 29000;
const LOOPBACK = "127.0.0.1";

export function addSecurityFlags(command: Command): void {
  command
    .optionsGroup("Security:")
    .addOption(
      new Option("--api-key <KEY>", "key that clients must send as Authorization: Bearer KEY").env(
        "PDBENCH_API_KEY",
      ),
    )
    .addOption(
      new Option("--worker-api-key <KEY>", "key that the proxy sends to workers").env(
        "PDBENCH_WORKER_API_KEY",
      ),
    )
    .option("--forward-authorization", "let workers see the Authorization of clients")
    .option("--no-forward-authorization", "keep it from them; docs/security.md has the default")
    .option(
      "--admin-port <PORT>",
      "serve the proxy's own routes there and nowhere else",
      port("--admin-port"),
    )
    .option("--admin-host <HOST>", `address of the admin port; default: ${LOOPBACK}`)
    .option("--prometheus-port <PORT>", "serve /metrics there and nowhere else", port("--prometheus-port"))
    .option("--prometheus-host <HOST>", `address of the metrics port; default: ${LOOPBACK}`)
    .option(
      "--allow-worker <RULE...>",
      "what may be added as a worker at run time: HOST, *.SUFFIX, SUBNET, [:PORT]",
    )
    .option("--request-id-headers <NAME...>", "where clients put their request id; default: x-request-id")
    .option("--cors-allowed-origins <ORIGIN...>", "origins whose pages may use the proxy; * = any")
    .option("--root-path <PATH>", "path under which the proxy is served");
}

/**
 * @param env Where both products look for the key of their workers, `OPENAI_API_KEY`.
 * @throws InputError for flags that are wrong, alone or together.
 */
export function doorOptions(
  flags: SecurityFlags,
  dialect: FlagDialect,
  disaggregates: boolean,
  env: Readonly<Record<string, string | undefined>>,
): DoorOptions {
  const { apiKey, workerApiKey, forwardAuthorization, requestIdHeaders, rootPath = "" } = flags;
  refuseEmpty("--api-key", apiKey);
  refuseEmpty("--worker-api-key", workerApiKey);
  if (workerApiKey !== undefined && forwardAuthorization === true) {
    throw new InputError("--worker-api-key with --forward-authorization: expected one of them");
  }
  const isProducts = dialect !== "pdbench";
  const productKey = isProducts && disaggregates ? env["OPENAI_API_KEY"] : undefined;
  const workerKey = workerApiKey ?? (forwardAuthorization === true ? undefined : productKey);
  return {
    apiKey: apiKey ?? null,
    workerKey: workerKey === undefined || workerKey === "" ? null : workerKey,
    // Both products pass it on where they do not disaggregate, and replace it where they do.
    forwardsAuthorization: forwardAuthorization ?? (isProducts && !disaggregates && workerKey === undefined),
    requestIdHeaders: (requestIdHeaders ?? ["x-request-id"]).map(headerNamed),
    corsOrigins: (flags.corsAllowedOrigins ?? []).map(originNamed),
    rootPath: rootPathOf(rootPath),
  };
}

/** @throws InputError for a host without its port, or two ports that are one. */
export function ownPorts(flags: SecurityFlags): OwnPorts {
  const { adminPort, adminHost, prometheusHost } = flags;
  if (adminHost !== undefined && adminPort === undefined) {
    throw new InputError("--admin-host has no effect without --admin-port, expected both");
  }
  const prometheusPort = flags.prometheusPort ?? (prometheusHost === undefined ? undefined : PROMETHEUS_PORT);
  return { admin: address(adminHost, adminPort), metrics: address(prometheusHost, prometheusPort) };
}

export function targetRules({ allowWorker = [] }: SecurityFlags): TargetRules {
  return new TargetRules(allowWorker);
}

function address(host: string | undefined, port: number | undefined): ListenAddress | null {
  return port === undefined ? null : { host: host ?? LOOPBACK, port };
}

function port(flag: string): (text: string) => number {
  return (text) => {
    const number = wholeNumberFlag(flag, 0)(text);
    if (number < 65536) return number;
    throw new InputError(`${flag}: got ${text}, expected a port from 0 to 65535`);
  };
}

function refuseEmpty(flag: string, key: string | undefined): void {
  if (key === undefined || /^[\x21-\x7e]+$/.test(key)) return;
  throw new InputError(`${flag}: expected a key of visible ASCII characters without spaces`);
}

function headerNamed(name: string): string {
  if (/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return name.toLowerCase();
  throw new InputError(`--request-id-headers: got ${name}, expected the name of a header`);
}

function originNamed(origin: string): string {
  if (origin === "*" || (URL.canParse(origin) && new URL(origin).origin === origin.toLowerCase()))
    return origin;
  throw new InputError(
    `--cors-allowed-origins: got ${origin}, expected an origin such as https://example.com, or *`,
  );
}

function rootPathOf(text: string): string {
  const path = text.replace(/\/+$/, "");
  if (path === "" || /^(?:\/[\w.~-]+)+$/.test(path)) return path;
  throw new InputError(`--root-path: got ${text}, expected a path such as /vllm`);
}
