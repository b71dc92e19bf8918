import { InputError } from "../../errors.js";
import { isObject } from "../generation-api.js";

/** Where LMCache on a decode worker receives KV: one port of each kind per tensor-parallel rank. */
export interface ReceiverSpec {
  readonly receiver_host: string;
  readonly receiver_init_port: readonly number[];
  readonly receiver_alloc_port: readonly number[];
}

/** What production-stack's LMCache flags say. */
export interface DecoderFlags {
  /** `--decoder-registry`: JSON text of `{decode URL: ReceiverSpec}`. */
  readonly registry?: string;
  /** `--decoder-host --decoder-init-port --decoder-alloc-port`: one decoder, ports separated by commas. */
  readonly host?: string;
  readonly initPort?: string;
  readonly allocPort?: string;
}

/**
 * The receiver of each decode URL. production-stack #890 silently falls back to NIXL for a decoder that has
 * none; here every decoder must have its own.
 *
 * @throws InputError when the JSON or a port is wrong, or a decode URL has no receiver.
 */
export function decoderRegistry(
  flags: DecoderFlags,
  decodeUrls: readonly string[],
): ReadonlyMap<string, ReceiverSpec> {
  const registry =
    flags.registry === undefined ? new Map<string, ReceiverSpec>() : parseRegistry(flags.registry);
  const single = singleDecoder(flags);
  if (single !== null && decodeUrls.length > 1) {
    throw new InputError(
      `--decoder-host names one receiver for ${decodeUrls.length} decode URLs, expected --decoder-registry with one each`,
    );
  }
  return new Map(
    decodeUrls.map((url) => {
      const spec = registry.get(withoutSlash(url)) ?? single;
      if (spec !== null) return [url, spec];
      throw new InputError(
        `LMCache: no receiver for ${url}, expected it in --decoder-registry, or --decoder-host, --decoder-init-port and --decoder-alloc-port`,
      );
    }),
  );
}

function singleDecoder({ host, initPort, allocPort }: DecoderFlags): ReceiverSpec | null {
  if (host === undefined && initPort === undefined && allocPort === undefined) return null;
  if (host === undefined || initPort === undefined || allocPort === undefined) {
    throw new InputError("--decoder-host, --decoder-init-port and --decoder-alloc-port go together");
  }
  return {
    receiver_host: host,
    receiver_init_port: portsOf(initPort.split(","), "--decoder-init-port"),
    receiver_alloc_port: portsOf(allocPort.split(","), "--decoder-alloc-port"),
  };
}

function parseRegistry(text: string): Map<string, ReceiverSpec> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new InputError(`--decoder-registry: ${(error as Error).message}, expected JSON by decode URL`);
  }
  if (!isObject(parsed)) throw new InputError("--decoder-registry: expected a JSON object by decode URL");
  return new Map(Object.entries(parsed).map(([url, spec]) => [withoutSlash(url), receiverOf(url, spec)]));
}

function receiverOf(url: string, spec: unknown): ReceiverSpec {
  const where = `--decoder-registry: ${url}`;
  if (!isObject(spec) || typeof spec["receiver_host"] !== "string") {
    throw new InputError(`${where}: expected receiver_host, receiver_init_port and receiver_alloc_port`);
  }
  return {
    receiver_host: spec["receiver_host"],
    receiver_init_port: portsOf(spec["receiver_init_port"], `${where}: receiver_init_port`),
    receiver_alloc_port: portsOf(spec["receiver_alloc_port"], `${where}: receiver_alloc_port`),
  };
}

function portsOf(value: unknown, where: string): number[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map((port) => {
    const number = typeof port === "string" ? Number(port.trim() || NaN) : port;
    if (Number.isInteger(number) && (number as number) > 0 && (number as number) < 65536)
      return number as number;
    throw new InputError(`${where}: ${JSON.stringify(port)} is not a port, expected 1 to 65535`);
  });
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}
