import { lookup } from "node:dns/promises";
import { readFile } from "node:fs/promises";
import { InputError } from "../../errors.js";
import type { Leg } from "../../routing/types.js";
import type { ProxyClock } from "../clock.js";
import { parseWorkerUrl } from "../worker-url.js";
import { SourcedWorkers, type WantedWorker } from "./sourced-workers.js";
import type { WorkerChanges } from "./worker-changes.js";
import { workersInFile } from "./worker-file.js";

/** Asking a file system costs little; a watch would miss how ConfigMaps are swapped. */
const FILE_LOOK_MS = 1000;

/** A name whose every address is a worker, such as a headless Kubernetes service. */
export interface DnsSource {
  readonly leg: Leg;
  readonly host: string;
  readonly port: number;
}

/** Where workers come from besides the command line. */
export interface WorkerSourceOptions {
  /** YAML or JSON; see `workersInFile`. */
  readonly file: string | null;
  readonly dns: readonly DnsSource[];
  readonly dnsIntervalMs: number;
  /** Addresses of a name; default: the system's resolver. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
}

/**
 * Follows a file and names while the proxy runs. Once each of them has been asked; one that cannot be read or
 * resolved later changes nothing and is warned of once: an outage of DNS must not empty a fleet that works.
 *
 * @returns what ends it
 * @throws InputError when the file cannot be read, or is wrong, at the start.
 */
export async function followSources(
  options: WorkerSourceOptions,
  changes: WorkerChanges,
  timers: ProxyClock,
  warn: (message: string) => void,
): Promise<() => void> {
  const { file, dns, dnsIntervalMs, resolve = systemAddresses } = options;
  const stops: (() => void)[] = [];
  if (file !== null) {
    const workers = new SourcedWorkers(changes, warn);
    workers.follow(await readWorkers(file));
    const read = async () => {
      workers.follow(await readWorkers(file));
    };
    stops.push(repeat(timers, FILE_LOOK_MS, read, (error) => warn(`${error.message}; the workers stay`)));
  }
  for (const { leg, host, port } of dns) {
    const workers = new SourcedWorkers(changes, warn);
    const ask = async () => {
      const addresses = await resolve(host);
      workers.follow(addresses.map((address) => ({ leg, url: parseWorkerUrl(urlOf(address, port)) })));
    };
    const onError = (error: Error) => warn(`${host} cannot be resolved: ${error.message}; the workers stay`);
    await ask().catch(onError);
    stops.push(repeat(timers, dnsIntervalMs, ask, onError));
  }
  return () => {
    for (const stop of stops) stop();
  };
}

/** Reads `HOST` or `HOST:PORT`. @throws InputError naming `flag` */
export function dnsSource(leg: Leg, text: string, flag: string): DnsSource {
  const [, host, port = "8000"] = /^([\w.-]+)(?::(\d+))?$/.exec(text) ?? [];
  if (host === undefined || !(Number(port) > 0 && Number(port) < 65536)) {
    throw new InputError(`${flag}: got ${text}, expected HOST or HOST:PORT`);
  }
  return { leg, host, port: Number(port) };
}

/** Does something at intervals, one at a time; of failures in a row the first is told. */
function repeat(
  timers: ProxyClock,
  intervalMs: number,
  work: () => Promise<void>,
  onError: (error: Error) => void,
): () => void {
  let isStopped = false;
  let hasFailed = false;
  let cancel = () => {};
  const again = () => {
    if (!isStopped) cancel = timers.after(intervalMs, () => void once());
  };
  const once = async () => {
    try {
      await work();
      hasFailed = false;
    } catch (error) {
      if (!hasFailed && !isStopped) onError(error as Error);
      hasFailed = true;
    }
    again();
  };
  again();
  return () => {
    isStopped = true;
    cancel();
  };
}

async function readWorkers(file: string): Promise<WantedWorker[]> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new InputError(`--worker-file: cannot read ${file}: ${(error as NodeJS.ErrnoException).code}`);
  }
  return workersInFile(text, `--worker-file ${file}`);
}

async function systemAddresses(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

function urlOf(address: string, port: number): string {
  return `http://${address.includes(":") ? `[${address}]` : address}:${port}`;
}
