import {
  createServer,
  STATUS_CODES,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { Socket } from "node:net";
import { listen } from "../listen.js";
import { ApiError, validationError } from "./api-error.js";
import { parseBody, type Body } from "./body-fields.js";

/** One request with its body read, and where its answer goes. */
export interface HttpCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  readonly text: string;
}

export type HttpHandler = (call: HttpCall) => void | Promise<void>;

/** Handlers by `METHOD path`, e.g. `POST /v1/completions`. */
export type Routes = Readonly<Record<string, HttpHandler>>;

/** Longest body that is read; vLLM has no limit of its own. */
const MAX_BODY_BYTES = 512 * 2 ** 20;
/** Longer than clients keep idle connections, so that none is closed under a request. */
const KEEP_ALIVE_MS = 65_000;

/** An HTTP server that can also go down like a process that was killed. */
export class HttpServer {
  private readonly routes: Routes;
  private readonly paths: ReadonlySet<string>;
  private readonly before: (call: HttpCall, path: string) => void;
  private server: Server | null = null;
  private readonly sockets = new Set<Socket>();

  /** @param before called ahead of every handler; what it throws is the answer */
  constructor(routes: Routes, before: (call: HttpCall, path: string) => void) {
    this.routes = routes;
    this.paths = new Set(Object.keys(routes).map((route) => route.split(" ")[1]!));
    this.before = before;
  }

  /** @returns the port, where `port` was 0 */
  listen(port: number, host: string): Promise<number> {
    const server = createServer({ noDelay: true, keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: 0 });
    server.on("connection", (socket: Socket) => {
      this.sockets.add(socket);
      socket.once("close", () => this.sockets.delete(socket));
    });
    server.on("request", (request, response) => void this.serve(request, response));
    this.server = server;
    return listen(server, port, host);
  }

  /** Stops listening and resets every connection, like a process that was killed. */
  kill(): Promise<void> {
    for (const socket of this.sockets) socket.resetAndDestroy();
    return this.stop();
  }

  /** Stops listening and closes every connection. */
  close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return this.stop();
  }

  private stop(): Promise<void> {
    const { server } = this;
    this.server = null;
    return new Promise((resolve) => {
      if (server === null) resolve();
      else server.close(() => resolve());
    });
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Whoever writes to a client that has left is told by "close".
    response.on("error", () => undefined);
    try {
      const url = new URL(request.url ?? "/", "http://engine");
      const text = await readText(request);
      if (text === null) return;
      const call = { request, response, query: url.searchParams, text };
      const handler = this.find(request.method ?? "GET", url.pathname, response);
      this.before(call, url.pathname);
      echoRequestId(request, response);
      await handler(call);
    } catch (error) {
      sendError(response, error);
    }
  }

  private find(method: string, path: string, response: ServerResponse): HttpHandler {
    const handler = this.routes[`${method} ${path}`];
    if (handler !== undefined) return handler;
    if (!this.paths.has(path)) throw statusError(404);
    const allowed = ["GET", "POST"].filter((other) => this.routes[`${other} ${path}`] !== undefined);
    response.setHeader("allow", allowed.join(", "));
    throw statusError(405);
  }
}

/** The JSON object of a request's body, with the checks that vLLM makes before it looks inside. */
export function jsonBody({ request, text }: HttpCall): Body {
  const mediaType = (request.headers["content-type"] ?? "").toLowerCase().split(";")[0]!.trim();
  if (mediaType !== "application/json") {
    throw validationError("media_type", "", "Unsupported Media Type: Only application/json is allowed");
  }
  return parseBody(text);
}

/** A first value of a header. */
export function header(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}

/** The body, or null when the client left before it was complete. */
function readText(request: IncomingMessage): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
    });
    request.on("end", () => {
      if (bytes > MAX_BODY_BYTES) reject(statusError(413));
      else resolve(Buffer.concat(chunks).toString("utf8"));
    });
    request.on("error", () => resolve(null));
    request.on("close", () => resolve(null));
  });
}

/** vLLM with --enable-request-id-headers. */
function echoRequestId(request: IncomingMessage, response: ServerResponse): void {
  const id = header(request, "x-request-id");
  if (id !== null) response.setHeader("x-request-id", id);
}

/** An error of the server itself: FastAPI's text and vLLM's object around it. */
function statusError(status: number): ApiError {
  const phrase = STATUS_CODES[status] ?? "Error";
  return new ApiError(status, phrase, null, phrase);
}

function sendError(response: ServerResponse, error: unknown): void {
  if (!(error instanceof ApiError)) {
    // A defect of the mock: the client gets a 500, whoever runs it gets the stack.
    process.stderr.write(`mock-engines: ${error instanceof Error ? error.stack! : String(error)}\n`);
  }
  const known = error instanceof ApiError ? error : new ApiError(500, "Internal server error");
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = Buffer.from(known.body());
  response.writeHead(known.status, { "content-type": "application/json", "content-length": body.length });
  response.end(body);
}
