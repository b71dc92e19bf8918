import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline, type Readable } from "node:stream";
import { constants, createGunzip, gunzipSync } from "node:zlib";
import { InputError } from "../errors.js";

const CHUNK_BYTES = 256 * 1024;
const HEAD_BYTES = 4096;

/** How a trace file begins. */
export interface TraceHead {
  readonly isGzip: boolean;
  /** It begins with a brace, as JSON Lines do. */
  readonly isJson: boolean;
}

/** @throws InputError when the file is missing, cannot be read, or is a broken gzip file. */
export async function readHead(path: string): Promise<TraceHead> {
  try {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
      const head = buffer.subarray(0, bytesRead);
      const isGzip = head[0] === 0x1f && head[1] === 0x8b;
      const plain = isGzip ? gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH }) : head;
      return { isGzip, isJson: /^\uFEFF?\s*\{/.test(plain.toString("utf8")) };
    } finally {
      await file.close();
    }
  } catch (error) {
    throw fileError(path, error);
  }
}

/**
 * The content of a trace file, unpacked, in chunks.
 *
 * @throws InputError when the file cannot be read to its end.
 */
export async function* traceBytes(path: string, isGzip: boolean): AsyncGenerator<Buffer> {
  const file = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  const bytes: Readable = isGzip
    ? pipeline(file, createGunzip({ chunkSize: CHUNK_BYTES }), () => undefined)
    : file;
  try {
    for await (const chunk of bytes) yield chunk as Buffer;
  } catch (error) {
    throw fileError(path, error);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file, expected a trace (`pdbench trace generate` makes one)",
  EISDIR: "is a folder, expected a trace file",
  EACCES: "not readable (permission denied)",
  ENOTDIR: "no such file, expected a trace (`pdbench trace generate` makes one)",
};

/** What is wrong with a trace file, in words for users. */
export function fileError(path: string, error: unknown): Error {
  const { code = "", message } = error as NodeJS.ErrnoException;
  if (code.startsWith("Z_")) return new InputError(`${path}: not a complete gzip file (${message})`);
  return new InputError(`${path}: ${REASONS[code] ?? message}`);
}
