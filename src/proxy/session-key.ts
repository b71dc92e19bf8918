import { valueAt, type JsonObject } from "./generation-api.js";
import type { JsonPath } from "./json-splice.js";

/**
 * Where the routers of this field look for the key of a session, in their order. Not taken from vllm-router:
 * `x-correlation-id`, `x-request-id` and `x-trace-id`, which proxies in front set anew for every request.
 */
const HEADERS = ["x-session-id", "x-session-key", "x-user-id", "x-tenant-id"];
const MEMBERS: readonly JsonPath[] = [
  ["session_params", "session_id"],
  ["session_id"],
  ["user"],
  ["user_id"],
];

/** Where to look for session keys: headers first, then members of the body; the first that is not empty. */
export interface SessionSource {
  /** Normalised by `headerName`. */
  readonly headers: readonly string[];
  readonly members: readonly JsonPath[];
}

/** @param name `--session-key`: a header, or a member of the body, that replaces the usual places. */
export function sessionSource(name?: string): SessionSource {
  if (name === undefined) return { headers: HEADERS, members: MEMBERS };
  return { headers: [headerName(name)], members: [[name]] };
}

/** Proxies change case, and some turn `_` into `-`: `X_Session_Id` is `x-session-id`. */
export function headerName(name: string): string {
  return name.toLowerCase().replaceAll("_", "-");
}

/**
 * The session of a request, or null. Of a header that occurs twice the first counts.
 *
 * @param rawHeaders Names and values in turn, as `node:http` has them.
 */
export function sessionKey(
  source: SessionSource,
  rawHeaders: readonly string[],
  body: JsonObject | null,
): string | null {
  for (const wanted of source.headers) {
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const value = rawHeaders[i + 1]!;
      if (value !== "" && rawHeaders[i]!.length === wanted.length && headerName(rawHeaders[i]!) === wanted) {
        return value;
      }
    }
  }
  for (const path of body === null ? [] : source.members) {
    const value = valueAt(body!, path);
    if (typeof value === "string" && value !== "") return value;
    if (Number.isSafeInteger(value)) return String(value);
  }
  return null;
}
