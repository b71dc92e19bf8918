import { InputError } from "../errors.js";
import type { WorkerAddress } from "./dialects/dialect.js";
import type { HealthProbe } from "./workers/health-probe.js";

/** A worker as it is named on the command line. */
export interface WorkerUrl extends WorkerAddress {
  /** The URL without a slash at its end, with `@rank` where it has one: the worker's id. */
  readonly id: string;
  /** Path in front of every route; empty for most. */
  readonly basePath: string;
  /** The model it serves; null = any, and then so for all workers. */
  readonly model: string | null;
  /** What finds out whether it is healthy; null = `GET` of the health endpoint. */
  readonly probe: HealthProbe | null;
}

/** What is said of a worker besides its URL. */
export interface WorkerTraits {
  readonly bootstrapPort?: number | null;
  readonly model?: string | null;
}

const RANK = /@(\d{1,4})$/;

/**
 * Reads `http://host:port[/path][@rank]`; the rank is that of a data-parallel engine inside the server.
 *
 * @throws InputError when it is no HTTP URL.
 */
export function parseWorkerUrl(
  text: string,
  { bootstrapPort = null, model = null }: WorkerTraits = {},
): WorkerUrl {
  const rank = RANK.exec(text)?.[1];
  const plain = text.replace(RANK, "");
  const url = URL.canParse(plain) ? new URL(plain) : null;
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new InputError(`"${text}" is not a worker URL, expected http://HOST:PORT or http://HOST:PORT@RANK`);
  }
  if (url.username !== "" || url.search !== "" || url.hash !== "") {
    throw new InputError(`"${text}" is not a worker URL, expected no user, query or fragment in it`);
  }
  const basePath = url.pathname.replace(/\/+$/, "");
  return {
    id: `${url.origin}${basePath}${rank === undefined ? "" : `@${Number(rank)}`}`,
    origin: url.origin,
    hostname: url.hostname,
    rank: rank === undefined ? null : Number(rank),
    bootstrapPort,
    basePath,
    model,
    probe: null,
  };
}

/**
 * One worker for each data-parallel rank of a server (`--intra-node-data-parallel-size`).
 *
 * @throws InputError when the URL names a rank already.
 */
export function expandRanks(worker: WorkerUrl, ranks: number): WorkerUrl[] {
  if (ranks === 1) return [worker];
  if (worker.rank !== null) {
    throw new InputError(
      `${worker.id} names a rank, expected none with --intra-node-data-parallel-size ${ranks}`,
    );
  }
  return Array.from({ length: ranks }, (_, rank) => ({ ...worker, id: `${worker.id}@${rank}`, rank }));
}
