import { Pool } from "undici";
import type { ProxyWorker } from "../core.js";
import type { Leg } from "../../routing/types.js";
import type { WorkerUrl } from "../worker-url.js";

/** Uvicorn closes an idle connection after 5 s; closing first avoids the race for a connection. */
const IDLE_CONNECTION_MS = 4000;
const CONNECT_MS = 10_000;

/** Connections to workers: one pool per server, which its data-parallel ranks share. */
export class WorkerPools {
  private readonly pools = new Map<string, { readonly pool: Pool; users: number }>();

  /** A worker with its connections; to be given back with `release`. */
  worker(url: WorkerUrl, leg: Leg): ProxyWorker {
    const { origin } = url;
    let entry = this.pools.get(origin);
    if (entry === undefined) {
      const pool = new Pool(origin, {
        pipelining: 1,
        allowH2: false,
        keepAliveTimeout: IDLE_CONNECTION_MS,
        connect: { timeout: CONNECT_MS },
        // A queue in front of an engine may be long; it is not for the connection to decide.
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      entry = { pool, users: 0 };
      this.pools.set(origin, entry);
    }
    entry.users++;
    return { ...url, leg, pool: entry.pool, left: false, cutMs: Infinity };
  }

  /** The worker is gone: with the last one of a server its connections go. */
  release({ origin }: ProxyWorker): void {
    const entry = this.pools.get(origin)!;
    if (--entry.users > 0) return;
    this.pools.delete(origin);
    void entry.pool.destroy();
  }

  /** Cuts every connection. */
  async destroy(): Promise<void> {
    await Promise.all([...this.pools.values()].map(({ pool }) => pool.destroy()));
  }
}
