import type { ServerResponse } from "node:http";

/** An answer as a value. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The whole text, or what goes on writing until the connection ends. */
  readonly body: string | ((response: ServerResponse) => void);
}

/** What every answer says: nothing is kept, guessed at, told to others or usable from other pages. */
const COMMON_HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  // Not "no-referrer": browsers would then send forms with the origin "null".
  "referrer-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
};

export function textReply(status: number, type: string, body: string, headers: Reply["headers"] = {}): Reply {
  return { status, headers: { "content-type": `${type}; charset=utf-8`, ...headers }, body };
}

/** Answers a form: the browser fetches the page at `address`. */
export function redirectReply(address: string): Reply {
  return { status: 303, headers: { location: address }, body: "" };
}

export function sendReply(response: ServerResponse, { status, headers, body }: Reply): void {
  response.writeHead(status, { ...COMMON_HEADERS, ...headers });
  if (typeof body === "string") response.end(body);
  else body(response);
}
