import type { IncomingMessage } from "node:http";

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
