import type { IncomingMessage } from "node:http";
import type { ProxyError } from "../error-body.js";

/** Most headers of one request. Node cuts off what is above its own limit without a word, hence one that is seen. */
export const HEADERS_MAX = 200;

/** Headers that two parsers may read differently: twice, or under a name that some take for another's. */
const ONCE = new Set(["host", "content-length", "transfer-encoding", "authorization"]);
const LOOKALIKES = new Set(["content_length", "transfer_encoding"]);

/** A part of a path that some servers resolve and others do not; `.` may be written `%2e`. */
const DOT_SEGMENT = /(?:^|[/\\])(?:\.|%2e){1,2}(?=[/\\]|$)/i;

/**
 * Why a request could mean something else to a worker than it does here, or null. What Node's parser refuses
 * by itself (both framing headers, `Content-Length` twice, folded headers, bare line feeds, chunk sizes that
 * are none...) does not get this far; `test/proxy/door/raw-requests.test.ts` holds both.
 */
export function framingFault(request: IncomingMessage): ProxyError | null {
  const { rawHeaders, httpVersion, headers, url } = request;
  if (httpVersion !== "1.1" && httpVersion !== "1.0")
    return refusal(505, `HTTP/${httpVersion} is not served`);
  if (rawHeaders.length > 2 * HEADERS_MAX) return refusal(431, `more than ${HEADERS_MAX} headers`);
  const seen = new Set<string>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase();
    if (LOOKALIKES.has(name)) return refusal(400, `the header ${name} is not one of HTTP`);
    if (!ONCE.has(name)) continue;
    if (seen.has(name)) return refusal(400, `the header ${name} is there twice`);
    seen.add(name);
  }
  const encoding = headers["transfer-encoding"];
  if (encoding !== undefined) {
    if (httpVersion === "1.0") return refusal(400, "HTTP/1.0 has no Transfer-Encoding");
    if (encoding.toLowerCase() !== "chunked")
      return refusal(501, "of transfer encodings only chunked is served");
  }
  if (!url!.startsWith("/")) return refusal(400, "the request target is not a path");
  return DOT_SEGMENT.test(pathOf(url!)) ? refusal(400, "the path has dot segments") : null;
}

/** The path of a request target, without its query. */
export function pathOf(target: string): string {
  const query = target.indexOf("?");
  return query < 0 ? target : target.slice(0, query);
}

function refusal(status: number, message: string): ProxyError {
  return { status, type: status === 400 ? "BadRequestError" : "NotServedError", message };
}
