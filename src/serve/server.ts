import { randomBytes } from "node:crypto";
import { existsSync, realpathSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { InputError, WorkError } from "../errors.js";
import { checkHost, readForm } from "./guard.js";
import { PageError } from "./page-error.js";
import { errorPage } from "./pages/error-page.js";
import type { Executor } from "../sweep/executor.js";
import { sendReply, type Reply } from "./reply.js";
import { ResultRows } from "./result-rows.js";
import { SweepJobs } from "./sweep-jobs.js";
import { FRAME_PATHS, ROUTES, type Site } from "./routes.js";

/** The one address: what is served here is for the person at this machine. */
const HOST = "127.0.0.1";
const HEADERS_MS = 10_000;
const REQUEST_MS = 30_000;

export interface ServeOptions {
  /** The folder whose results are shown, as the user named it. */
  readonly directory: string;
  /** 0 = any free port. */
  readonly port: number;
  /** Called with what was thrown when the server itself is at fault; the visitor sees that it failed. */
  readonly onDefect: (error: unknown) => void;
  /** What runs the sweeps that visitors start. */
  readonly execute: Executor;
  /** Default: the wall clock. */
  readonly nowMs?: () => number;
}

export interface RunningSite {
  readonly url: string;
  /** Cuts what is open, stops sweeps (what is finished is kept), and resolves when all of it has ended. */
  close(): Promise<void>;
}

/**
 * Starts the server that shows a folder of results, on the loopback address only.
 *
 * @throws InputError when there is no such folder, WorkError when the port is taken
 */
export async function startServe(options: ServeOptions): Promise<RunningSite> {
  const { directory, port, execute, onDefect, nowMs = () => performance.now() } = options;
  checkFolder(directory);
  const root = realpathSync(directory);
  const jobs = new SweepJobs({ execute, nowMs, onDefect });
  const site: Site = {
    root,
    // `.` and `..` name a folder for a shell, not for a reader.
    folder: /^[./]*$/.test(directory) ? root : directory,
    rows: new ResultRows(root),
    token: randomBytes(24).toString("base64url"),
    jobs,
  };
  const server = createServer({ headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS });
  server.on("request", (request, response) => void answer(site, request, response, onDefect));
  const url = await listen(server, port);
  const close = async (): Promise<void> => {
    await Promise.all([closeServer(server), jobs.close()]);
  };
  return { url, close };
}

function checkFolder(directory: string): void {
  if (!existsSync(directory)) {
    throw new InputError(`${directory}: no such folder, expected one below which runs and sweeps lie`);
  }
  if (!statSync(directory).isDirectory()) throw new InputError(`${directory}: is a file, expected a folder`);
}

async function answer(
  site: Site,
  request: IncomingMessage,
  response: ServerResponse,
  onDefect: ServeOptions["onDefect"],
): Promise<void> {
  const [path = "", query = ""] = splitOnce(request.url!);
  let reply: Reply;
  try {
    checkHost(request.headers);
    reply = await replyTo(site, request, path, new URLSearchParams(query));
  } catch (error) {
    reply = errorPage(pageErrorOf(error, onDefect), FRAME_PATHS.has(path) ? "frame" : "text");
  }
  // What is left of a body that nobody reads is not waited for.
  if (!request.complete) response.shouldKeepAlive = false;
  sendReply(response, reply);
}

async function replyTo(
  site: Site,
  request: IncomingMessage,
  path: string,
  query: URLSearchParams,
): Promise<Reply> {
  const route = ROUTES.get(path);
  if (route === undefined) {
    throw new PageError(
      404,
      `There is no page ${JSON.stringify(path.slice(0, 200))} here.`,
      "All results are one link away.",
    );
  }
  const method = request.method === "HEAD" ? "GET" : request.method;
  if (method === "GET" && route.get !== undefined) return route.get(site, query);
  if (method === "POST" && route.post !== undefined)
    return route.post(site, await readForm(request, site.token));
  throw new PageError(
    405,
    `This page does not take ${method ?? "such"} requests.`,
    "Use the links and forms of the pages.",
  );
}

function pageErrorOf(error: unknown, onDefect: ServeOptions["onDefect"]): PageError {
  if (error instanceof PageError) return error;
  // The file system says no: a folder that may not be read, a file that is gone.
  if (error instanceof Error && "syscall" in error) {
    return new PageError(500, error.message, "Mend the folder, then load the page again.");
  }
  onDefect(error);
  const message = "This is a defect of pdbench.";
  return new PageError(
    500,
    message,
    "The terminal that runs pdbench serve has the details; please report them.",
  );
}

function splitOnce(url: string): readonly string[] {
  const at = url.indexOf("?");
  return at < 0 ? [url] : [url.slice(0, at), url.slice(at + 1)];
}

function listen(server: Server, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === "EADDRINUSE";
      const reason = isTaken
        ? "another program listens there, expected a free --port (0 = any)"
        : error.message;
      reject(new WorkError(`--port ${port}: ${reason}`));
    });
    server.listen(port, HOST, () => resolve(`http://${HOST}:${(server.address() as AddressInfo).port}`));
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
