import type { IncomingMessage } from "node:http";
import { isObject, type JsonObject } from "./generation-api.js";

/**
 * Reads a request's body. It is kept whole: routing needs the prompt, both legs need the bytes, and a kept
 * body can be sent again.
 *
 * @param onBody Called once, with null when the body is larger than `limitBytes`; not at all when the client
 *   leaves before its end.
 */
export function readBody(
  request: IncomingMessage,
  limitBytes: number,
  onBody: (body: Buffer | null) => void,
): void {
  if (Number(request.headers["content-length"] ?? 0) > limitBytes) {
    request.resume();
    onBody(null);
    return;
  }
  const chunks: Buffer[] = [];
  let size = 0;
  request.on("data", (chunk: Buffer) => {
    const fitted = size <= limitBytes;
    size += chunk.length;
    if (size <= limitBytes) chunks.push(chunk);
    else if (fitted) onBody(null);
  });
  request.on("end", () => {
    if (size <= limitBytes) onBody(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
  });
}

/** A body as a JSON object, or what is wrong with it. */
export function parseObject(body: Buffer): JsonObject | string {
  try {
    const parsed: unknown = JSON.parse(body.toString());
    return isObject(parsed) ? parsed : "the request body is not a JSON object";
  } catch (error) {
    return `the request body is not JSON: ${(error as Error).message}`;
  }
}
