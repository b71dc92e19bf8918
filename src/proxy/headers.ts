import { randomUUID } from "node:crypto";

/** Headers in one flat list, name and value in turn: `node:http` rawHeaders, undici and `writeHead` take it. */
export type FlatHeaders = string[];

/** A client that sends this header is told in the response headers how its request was routed. */
export const EXPLAIN_HEADER = "x-pdbench-explain";

/** Headers that concern one connection only (RFC 9110 7.6.1), or that every hop writes itself. */
const OF_ONE_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "host",
  "content-length",
  "expect",
]);

/** Header names in lower case by their spelling; clients and workers spell in few ways. */
const LOWER_CASE = new Map<string, string>();
const SPELLINGS_MAX = 1000;

/** What is harmless in headers and logs. */
export const REQUEST_ID = /^[\w.:=+/-]{1,200}$/;

/** What the proxy itself says in the headers of a leg. */
export interface LegHeaders {
  readonly requestId: string;
  /** Data-parallel rank of the worker, or null. */
  readonly rank: number | null;
  /** The proxy looks into the answer, which must then not be compressed. */
  readonly readsAnswer: boolean;
  /** Of the leg's span; null = the client's goes through. */
  readonly traceparent: string | null;
}

/**
 * What a client's headers become on their way to a worker: all of them, in order and spelling, but those of
 * the connection and those the proxy writes anew (request id, data-parallel rank, traceparent).
 */
export function headersToWorker(
  raw: readonly string[],
  { requestId, rank, readsAnswer, traceparent }: LegHeaders,
): FlatHeaders {
  const listed = listedInConnection(raw);
  const headers: FlatHeaders = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = lowerCase(raw[i]!);
    if (OF_ONE_HOP.has(name) || listed?.includes(name) === true) continue;
    if (name === "x-request-id" || name === EXPLAIN_HEADER) continue;
    if (name === "x-data-parallel-rank" && rank !== null) continue;
    if (name === "accept-encoding" && readsAnswer) continue;
    if (name === "traceparent" && traceparent !== null) continue;
    headers.push(raw[i]!, raw[i + 1]!);
  }
  headers.push("x-request-id", requestId);
  if (rank !== null) headers.push("x-data-parallel-rank", String(rank));
  if (traceparent !== null) headers.push("traceparent", traceparent);
  return headers;
}

/**
 * What a worker's headers become on their way to the client. The length stays where the body goes through
 * unchanged; the request id is the proxy's.
 *
 * @param raw As undici has them: name and value in turn, bytes or text.
 */
export function headersToClient(raw: readonly (Buffer | string)[], keepsLength: boolean): FlatHeaders {
  const text = raw.map((item) => (typeof item === "string" ? item : item.toString("latin1")));
  const listed = listedInConnection(text);
  const headers: FlatHeaders = [];
  for (let i = 0; i < text.length; i += 2) {
    const name = lowerCase(text[i]!);
    if (name === "content-length" ? !keepsLength : OF_ONE_HOP.has(name)) continue;
    if (name === "x-request-id" || listed?.includes(name) === true) continue;
    headers.push(text[i]!, text[i + 1]!);
  }
  return headers;
}

/** The value of a header in a flat list, or undefined; of several the first. */
export function headerOf(raw: readonly string[], name: string): string | undefined {
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]!.length === name.length && raw[i]!.toLowerCase() === name) return raw[i + 1];
  }
  return undefined;
}

const PROCESS_ID = randomUUID().slice(0, 18);
let requestIds = 0;

/** A request id that no other proxy and no other request has. */
export function newRequestId(): string {
  return `${PROCESS_ID}-${(requestIds++).toString(36)}`;
}

/** The client's own request id where it is harmless in headers and logs, else undefined. */
export function clientRequestId(raw: readonly string[]): string | undefined {
  const id = headerOf(raw, "x-request-id");
  return id !== undefined && REQUEST_ID.test(id) ? id : undefined;
}

/** Names that `Connection` declares to be of this hop, or null when there is nothing unusual. */
function listedInConnection(raw: readonly string[]): string[] | null {
  const value = headerOf(raw, "connection")?.toLowerCase();
  if (value === undefined || value === "keep-alive" || value === "close") return null;
  return value.split(",").map((name) => name.trim());
}

function lowerCase(name: string): string {
  let lower = LOWER_CASE.get(name);
  if (lower === undefined) {
    lower = name.toLowerCase();
    if (LOWER_CASE.size < SPELLINGS_MAX) LOWER_CASE.set(name, lower);
  }
  return lower;
}
