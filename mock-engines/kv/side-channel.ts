import { connect, createServer, type Server, type Socket } from "node:net";
import { listen } from "../listen.js";

/**
 * The side channel between engines: one JSON object a line over TCP, each answered by one with the same `id`.
 *
 * - `read`: a decode engine presents a handle; `outcome` is `ok` or why it is not good.
 * - `done`: the read is complete, the blocks may go.
 * - `release`: the KV is no longer wanted, the blocks may go.
 * - `push`: LMCache, KV of a prompt is on its way to a decode engine; answered when it is there.
 */
export type SideMessage =
  | {
      readonly op: "read";
      readonly engine_id: string;
      readonly request_id: string;
      readonly block_ids: readonly number[];
    }
  | { readonly op: "done" | "release"; readonly request_id: string }
  | { readonly op: "push"; readonly engine_id: string; readonly prefix: string; readonly tokens: number };

const OPERATIONS: readonly string[] = ["read", "done", "release", "push"] satisfies SideMessage["op"][];

export interface SideAnswer {
  readonly outcome: string;
}

/** Answers a message; may take its time. */
export type SideHandler = (message: SideMessage) => SideAnswer | Promise<SideAnswer>;

/** The end of the side channel that other engines call. */
export class SideChannelServer {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  constructor(handler: SideHandler) {
    this.server = createServer((socket) => {
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
      // A peer that goes away takes its calls with it; leases clean up after it.
      socket.on("error", () => socket.destroy());
      readLines(socket, (line) => void answer(socket, line, handler));
    });
  }

  listen(port: number, host: string): Promise<number> {
    return listen(this.server, port, host);
  }

  close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

async function answer(socket: Socket, line: string, handler: SideHandler): Promise<void> {
  let id: unknown = null;
  let reply: SideAnswer;
  try {
    const message = JSON.parse(line) as SideMessage & { id: unknown };
    id = message.id;
    if (!OPERATIONS.includes(message.op)) throw new Error(message.op);
    reply = await handler(message);
  } catch {
    reply = { outcome: "malformed" };
  }
  if (socket.writable) socket.write(`${JSON.stringify({ id, ...reply })}\n`);
}

/** Time to connect and be answered, wall ms; a `push` may take as long as its transfer. */
const ANSWER_WALL_MS = 5_000;

/** The end of the side channel that calls other engines; keeps one connection to each. */
export class SideChannelClient {
  private readonly peers = new Map<string, Peer>();

  /** The answer, or null when the peer cannot be reached or does not answer. */
  call(host: string, port: number, message: SideMessage): Promise<SideAnswer | null> {
    const address = `${host}:${port}`;
    let peer = this.peers.get(address);
    if (peer === undefined) {
      peer = new Peer(host, port, () => this.peers.delete(address));
      this.peers.set(address, peer);
    }
    return peer.call(message);
  }

  close(): void {
    for (const peer of this.peers.values()) peer.close();
  }
}

class Peer {
  private readonly socket: Socket;
  private readonly waiting = new Map<number, (answer: SideAnswer | null) => void>();
  private nextId = 0;

  constructor(host: string, port: number, onClose: () => void) {
    this.socket = connect({ host, port, noDelay: true });
    // "close" follows and tells whoever waits.
    this.socket.on("error", () => undefined);
    this.socket.on("close", () => {
      onClose();
      for (const resolve of this.waiting.values()) resolve(null);
      this.waiting.clear();
    });
    readLines(this.socket, (line) => this.answered(line));
  }

  call(message: SideMessage): Promise<SideAnswer | null> {
    return new Promise((resolve) => {
      const id = this.nextId++;
      const patience = setTimeout(() => this.giveUp(id), ANSWER_WALL_MS);
      if (message.op === "push") clearTimeout(patience);
      this.waiting.set(id, (answer) => {
        clearTimeout(patience);
        resolve(answer);
      });
      this.socket.write(`${JSON.stringify({ id, ...message })}\n`);
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private answered(line: string): void {
    let answer: SideAnswer & { id: number };
    try {
      answer = JSON.parse(line) as SideAnswer & { id: number };
    } catch {
      // Whoever listens there is no engine.
      this.socket.destroy();
      return;
    }
    this.waiting.get(answer.id)?.(answer);
    this.waiting.delete(answer.id);
  }

  private giveUp(id: number): void {
    if (this.socket.connecting) this.socket.destroy();
    this.waiting.get(id)?.(null);
    this.waiting.delete(id);
  }
}

function readLines(socket: Socket, onLine: (line: string) => void): void {
  let rest = "";
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    for (const line of lines) onLine(line);
  });
}
