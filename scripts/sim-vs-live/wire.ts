import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";

/** Turns of the event loop in which nothing may happen before the process counts as settled. */
const QUIET_TURNS = 3;

/**
 * Every TCP connection within this process, watched from both ends: what has been written at one end and not
 * been read at the other is still under way.
 */
export class Wire {
  private readonly clients = new Set<Socket>();
  private readonly servers = new Set<Socket>();
  private readonly onClient = (message: unknown) => void this.clients.add(socketOf(message));
  private readonly onServer = (message: unknown) => void this.servers.add(socketOf(message));

  /** Watches connections made from now on. */
  constructor() {
    subscribe("net.client.socket", this.onClient);
    subscribe("net.server.socket", this.onServer);
  }

  close(): void {
    unsubscribe("net.client.socket", this.onClient);
    unsubscribe("net.server.socket", this.onServer);
  }

  /** Resolves when all that was written has been read and dealt with, and nothing more is written. */
  async settled(): Promise<void> {
    let lastBytes = -1;
    for (let quiet = 0; quiet < QUIET_TURNS;) {
      await new Promise((resolve) => setImmediate(resolve));
      const bytes = this.bytesIfNoneUnderWay();
      quiet = bytes !== null && bytes === lastBytes ? quiet + 1 : 0;
      lastBytes = bytes ?? -1;
    }
  }

  /** Bytes that have gone over the wire so far; null while some are on it, or a connection is being made. */
  private bytesIfNoneUnderWay(): number | null {
    let written = 0;
    let read = 0;
    for (const socket of this.clients) {
      if (socket.connecting) return null;
      written += socket.bytesWritten;
      read += socket.bytesRead;
    }
    for (const socket of this.servers) {
      written += socket.bytesWritten;
      read += socket.bytesRead;
    }
    return this.clients.size === this.servers.size && written === read ? written : null;
  }
}

function socketOf(message: unknown): Socket {
  return (message as { readonly socket: Socket }).socket;
}
