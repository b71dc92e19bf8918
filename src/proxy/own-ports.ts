import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { WorkError } from "../errors.js";

export interface ListenAddress {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
}

/** Ports beside the clients' for what the proxy tells of itself; a route with a port of its own is on no other. */
export interface OwnPorts {
  /** All routes of the proxy itself. Null: they are on the clients' port. */
  readonly admin: ListenAddress | null;
  /** `/metrics` alone, without a key. Null: it is where the others are. */
  readonly metrics: ListenAddress | null;
}

export const NO_OWN_PORTS: OwnPorts = { admin: null, metrics: null };

/** Where a request was received. */
export type Gate = "clients" | "admin" | "metrics";

/** Routes that every gate has, without a key: probes of load balancers. */
export const PROBES: ReadonlySet<string> = new Set(["/health", "/liveness", "/readiness"]);

/** Whether a route of the proxy's own is served at a gate. */
export function isServedAt(gate: Gate, path: string, ports: OwnPorts): boolean {
  if (PROBES.has(path)) return true;
  if (path === "/metrics" && ports.metrics !== null) return gate === "metrics";
  return gate === (ports.admin === null ? "clients" : "admin");
}

/** A server that listens, and where. @throws WorkError when the address is taken. */
export function listen(server: Server, { host, port }: ListenAddress): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(new WorkError(`cannot listen on ${host}:${port}: ${error.code ?? error.message}`));
    });
    server.listen(port, host, () => {
      const { port: actual } = server.address() as AddressInfo;
      resolve(`http://${host.includes(":") ? `[${host}]` : host}:${actual}`);
    });
  });
}

export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** The servers of the own ports, listening but not answering yet. */
export interface OwnServers {
  readonly urls: { readonly admin: string | null; readonly metrics: string | null };
  answer(gate: "admin" | "metrics", listener: (req: IncomingMessage, res: ServerResponse) => void): void;
  close(): Promise<void>;
}

/** @throws WorkError when an address is taken. */
export async function startOwnServers(ports: OwnPorts): Promise<OwnServers> {
  const servers = new Map<Gate, Server>();
  const urls = { admin: null as string | null, metrics: null as string | null };
  const close = async () => {
    await Promise.all([...servers.values()].map(closeServer));
  };
  for (const gate of ["admin", "metrics"] as const) {
    const address = ports[gate];
    if (address === null) continue;
    const server = createServer();
    try {
      urls[gate] = await listen(server, address);
    } catch (error) {
      await close();
      throw error;
    }
    servers.set(gate, server);
  }
  return { urls, answer: (gate, listener) => void servers.get(gate)?.on("request", listener), close };
}
