import type { IncomingMessage, ServerResponse } from "node:http";
import { InputError } from "../../errors.js";
import type { Leg } from "../../routing/types.js";
import { parseObject, readBody } from "../request-body.js";
import { parseWorkerUrl, type WorkerUrl } from "../worker-url.js";
import type { WorkerChanges } from "./worker-changes.js";

const BODY_BYTES_MAX = 1 << 16;
const BY_URL = "/workers/";

/** Whether a request is one of vllm-router's that change the fleet, or ask for one worker. */
export function isWorkerRoute(method: string, path: string): boolean {
  if (path === "/add_worker" || path === "/remove_worker" || path === "/workers") return method === "POST";
  return path.startsWith(BY_URL) && (method === "GET" || method === "DELETE");
}

/** An answer to such a request. */
interface Answer {
  readonly status: number;
  readonly body: string | object;
}

interface Wanted {
  readonly url: WorkerUrl;
  readonly leg: Leg;
}

/**
 * Answers `POST /add_worker?url=`, `/remove_worker?url=` in plain text and the REST routes of `/workers` in
 * JSON, as vllm-router does. A PD fleet wants to know the leg: `worker_type=prefill|decode`, and for prefill
 * `bootstrap_port=` where it has one; one whose workers name their models wants `model_id=`. Adding answers once the worker has, or when it has not in time.
 */
export async function changeWorkers(
  changes: WorkerChanges,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const { pathname, searchParams } = new URL(req.url!, "http://proxy");
  const isRest = pathname.startsWith("/workers");
  const { status, body } = await answerTo(changes, req, pathname, searchParams).catch((error: unknown) => {
    if (!(error instanceof InputError)) throw error;
    const { message } = error;
    return { status: 400, body: isRest ? { error: message, code: "ADD_WORKER_FAILED" } : message };
  });
  if (res.destroyed) return;
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const type = typeof body === "string" ? "text/plain; charset=utf-8" : "application/json";
  res.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(text) });
  res.end(text);
}

async function answerTo(
  changes: WorkerChanges,
  req: IncomingMessage,
  path: string,
  query: URLSearchParams,
): Promise<Answer> {
  const { roster } = changes;
  switch (path) {
    case "/add_worker": {
      const wanted = wantedWorker(changes, Object.fromEntries(query));
      const failure = await add(changes, wanted);
      const body = failure ?? `Successfully added worker: ${wanted.url.id}`;
      return { status: failure === null ? 200 : 400, body };
    }
    case "/remove_worker": {
      const { id } = parseWorkerUrl(query.get("url") ?? "");
      if (!changes.remove(id)) return { status: 400, body: `Worker ${id} not found` };
      return { status: 200, body: `Successfully removed worker: ${id}` };
    }
    case "/workers": {
      const wanted = wantedWorker(changes, await jsonBody(req));
      const failure = await add(changes, wanted);
      return failure === null
        ? {
            status: 200,
            body: { success: true, message: `Worker ${wanted.url.id} added`, url: wanted.url.id },
          }
        : { status: 400, body: { error: failure, code: "ADD_WORKER_FAILED" } };
    }
    default: {
      const { id } = parseWorkerUrl(decoded(path.slice(BY_URL.length)));
      const index = roster.present().find((place) => roster.workers[place]!.id === id);
      if (index === undefined) {
        return { status: 404, body: { error: `Worker ${id} not found`, code: "WORKER_NOT_FOUND" } };
      }
      if (req.method === "GET") return { status: 200, body: workerDocument(roster, index) };
      changes.remove(id);
      return { status: 200, body: { success: true, message: `Worker ${id} removed` } };
    }
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new InputError(`"${text}" is not percent-encoded as a URL in a path has to be`);
  }
}

/** @returns why it was not added, or null */
async function add(changes: WorkerChanges, { url, leg }: Wanted): Promise<string | null> {
  const index = changes.add(url, leg);
  if (await changes.answered(index)) return null;
  changes.remove(url.id);
  return `Worker ${url.id} did not become healthy in time`;
}

function wantedWorker({ roster }: WorkerChanges, fields: Readonly<Record<string, unknown>>): Wanted {
  const { url, worker_type: type, bootstrap_port: port, model_id: model = null } = fields;
  if (typeof url !== "string") throw new InputError("url: expected the URL of a worker");
  if (model !== null && (typeof model !== "string" || model === "")) {
    throw new InputError(`model_id: got ${JSON.stringify(model)}, expected the name of a model`);
  }
  return {
    url: parseWorkerUrl(url, { bootstrapPort: portOf(port), model }),
    leg: legOf(type, roster.present("prefill").length > 0),
  };
}

function legOf(type: unknown, isPd: boolean): Leg {
  if (type === "prefill" || type === "decode") return type;
  const expected = "expected prefill or decode";
  const got = type === undefined ? "nothing" : JSON.stringify(type);
  if (isPd) throw new InputError(`worker_type: got ${got}, ${expected} in a PD fleet`);
  if (type === undefined || type === "regular") return "decode";
  throw new InputError(`worker_type: got ${got}, ${expected}, or regular`);
}

function portOf(value: unknown): number | null {
  if (value === undefined || value === null) return null;
  const port = Number(value);
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  throw new InputError(`bootstrap_port: got ${JSON.stringify(value)}, expected 1 to 65535`);
}

function jsonBody(req: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  return new Promise((resolve, reject) => {
    readBody(req, BODY_BYTES_MAX, (body) => {
      const parsed = body === null ? "the request body is too large" : parseObject(body);
      if (typeof parsed === "string") reject(new InputError(parsed));
      else resolve(parsed);
    });
  });
}

/** A worker as `GET /workers` shows it. */
export function workerDocument(roster: WorkerChanges["roster"], index: number): object {
  const { id, leg, model, bootstrapPort, left } = roster.workers[index]!;
  return {
    url: id,
    worker_type: leg,
    model_id: model,
    bootstrap_port: bootstrapPort,
    is_healthy: roster.isHealthy(index),
    takes_requests: !left && roster.takesRequests(index),
    circuit_breaker: roster.breaker(index),
    draining: left,
    ...roster.loadOf(index),
  };
}
