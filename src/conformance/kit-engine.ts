import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { WorkError } from "../errors.js";
import { answerOtherRoute } from "./engine-routes.js";
import type { Leg, Role, Wire } from "./wire.js";

/** What an engine does with a request. */
export type Answering = (leg: Leg, response: ServerResponse) => void | Promise<void>;

export interface KitEngineOptions {
  readonly role: Role;
  readonly index: number;
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly model: string;
  readonly wire: Wire;
  /** How a generation request is answered that no case has other plans for. */
  readonly answering: Answering;
}

/** One mock engine: keeps the bytes it is sent, and answers as the case at hand wants it to. */
export class KitEngine {
  readonly name: string;
  readonly role: Role;
  private readonly options: KitEngineOptions;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  private constructor(options: KitEngineOptions) {
    this.options = options;
    this.role = options.role;
    this.name = `${options.role}-${options.index}`;
    this.server = createServer({ noDelay: true, keepAliveTimeout: 65_000, requestTimeout: 0 });
    this.server.on("request", (request, response) => void this.serve(request, response));
    this.server.on("connection", (socket: Socket) => {
      this.sockets.add(socket);
      socket.once("close", () => this.sockets.delete(socket));
    });
  }

  /** @throws WorkError when the address is taken */
  static start(options: KitEngineOptions): Promise<KitEngine> {
    const engine = new KitEngine(options);
    return new Promise((resolve, reject) => {
      engine.server.once("error", (error: NodeJS.ErrnoException) => {
        reject(
          new WorkError(`${engine.name} cannot listen on ${options.host}:${options.port}: ${error.code}`),
        );
      });
      engine.server.listen(options.port, options.host, () => resolve(engine));
    });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://${this.options.host}:${this.port}`;
  }

  close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Whoever writes to a router that has left is told by "close".
    response.on("error", () => undefined);
    const body = await bodyOf(request);
    if (body === null) return;
    const { wire, role, model, answering } = this.options;
    const leg: Leg = {
      order: wire.nextOrder(),
      engine: this.name,
      role,
      method: request.method!,
      url: request.url!,
      rawHeaders: request.rawHeaders,
      body,
      json: objectIn(body),
      state: "open",
      status: null,
    };
    response.on("close", () => {
      leg.state = response.writableFinished ? "answered" : "cut";
      if (response.headersSent) leg.status = response.statusCode;
      wire.changed();
    });
    const planned = wire.record(leg);
    if (planned !== null) await planned(leg, response);
    else if (isGeneration(leg)) await answering(leg, response);
    else answerOtherRoute(leg, response, model);
  }
}

/** True for a request that asks for tokens. */
export function isGeneration({ method, url }: Pick<Leg, "method" | "url">): boolean {
  return (
    method === "POST" && /^\/(v1\/(chat\/)?completions|v1\/responses|inference\/v1\/generate)\b/.test(url)
  );
}

/** The whole body, or null when the connection ended first. */
function bodyOf(request: IncomingMessage): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => resolve(Buffer.concat(chunks)));
    request.on("error", () => resolve(null));
    request.on("close", () => resolve(null));
  });
}

function objectIn(body: Buffer): Leg["json"] {
  try {
    const parsed: unknown = JSON.parse(body.toString());
    const isObject = typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
    return isObject ? (parsed as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
