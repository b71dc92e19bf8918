import type { IncomingMessage, ServerResponse } from "node:http";

/** Response headers of ours that a page may read. */
const EXPOSED = "x-request-id";
const PREFLIGHT_S = 600;

/**
 * Pages of which origins may use the proxy. By itself none but its own: a page anywhere could otherwise send
 * requests to a proxy on the visitor's loopback.
 */
export class Origins {
  private readonly allowed: ReadonlySet<string>;

  /** @param allowed Origins such as `https://example.com`; `*` = any. */
  constructor(allowed: readonly string[]) {
    this.allowed = new Set(allowed.map((origin) => origin.toLowerCase()));
  }

  /** False: the request comes from a page that may not send it. Adds the headers that let a page read the answer. */
  admit({ headers, method }: IncomingMessage, res: ServerResponse): boolean {
    const { origin, host } = headers;
    if (origin === undefined || isOwn(origin, host)) return true;
    if (this.allowed.has("*") || this.allowed.has(origin.toLowerCase())) {
      res.setHeader("access-control-allow-origin", origin);
      res.setHeader("access-control-expose-headers", EXPOSED);
      res.setHeader("vary", "origin");
      return true;
    }
    // What only reads is harmless: the page does not see the answer.
    return method === "GET" || method === "HEAD";
  }

  /** Answers a browser that asks beforehand. */
  preflight({ headers }: IncomingMessage, res: ServerResponse): void {
    res.writeHead(204, [
      ...["access-control-allow-methods", "GET, POST, DELETE"],
      ...["access-control-allow-headers", headers["access-control-request-headers"] ?? "authorization"],
      ...["access-control-max-age", String(PREFLIGHT_S)],
    ]);
    res.end();
  }
}

export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return (
    method === "OPTIONS" &&
    headers.origin !== undefined &&
    headers["access-control-request-method"] !== undefined
  );
}

function isOwn(origin: string, host: string | undefined): boolean {
  return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);
}
