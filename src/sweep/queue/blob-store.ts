import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { deflateRaw, inflateRaw } from "node:zlib";
import type { Redis } from "ioredis";
import { KEY_PREFIX, KEEP_S } from "./sweep-job.js";

const compress = promisify(deflateRaw);
const decompress = promisify(inflateRaw);

/** Redis handles values of this size without a pause that others notice. */
const CHUNK_BYTES = 1 << 20;

/**
 * Bytes under the hash of their content, in compressed chunks: `pdbench:blob:HASH` says how many,
 * `pdbench:blob:HASH:I` has each.
 */
export class BlobStore {
  private readonly redis: Redis;

  constructor(redis: Redis) {
    this.redis = redis;
  }

  /** Stores bytes that are not there yet, and keeps those that are. Returns their SHA-256. */
  async put(bytes: Buffer): Promise<string> {
    const hash = hashOf(bytes);
    const chunks = Math.max(1, Math.ceil(bytes.length / CHUNK_BYTES));
    if (await this.refresh(hash)) return hash;
    for (let i = 0; i < chunks; i++) {
      const chunk = await compress(bytes.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES));
      await this.redis.set(chunkKey(hash, i), chunk, "EX", KEEP_S);
    }
    // Last: who finds it finds every chunk.
    await this.redis.set(headKey(hash), chunks, "EX", KEEP_S);
    return hash;
  }

  /**
   * The bytes of a hash, checked against it.
   *
   * @throws Error when they are not there, or damaged
   */
  async get(hash: string): Promise<Buffer> {
    const chunks = Number((await this.redis.get(headKey(hash))) ?? NaN);
    if (Number.isNaN(chunks)) throw new Error(`content ${hash} is not in Redis (any more)`);
    const parts: Buffer[] = [];
    for (let i = 0; i < chunks; i++) {
      const chunk = await this.redis.getBuffer(chunkKey(hash, i));
      if (chunk === null) throw new Error(`content ${hash} is not whole in Redis (any more)`);
      parts.push(await decompress(chunk));
    }
    const bytes = Buffer.concat(parts);
    if (hashOf(bytes) !== hash) throw new Error(`content ${hash} is damaged in Redis: its hash is another`);
    return bytes;
  }

  /** Keeps the chunks of a hash for longer; false where one of them is missing. */
  private async refresh(hash: string): Promise<boolean> {
    const chunks = Number((await this.redis.get(headKey(hash))) ?? NaN);
    if (Number.isNaN(chunks)) return false;
    const keys = [headKey(hash), ...Array.from({ length: chunks }, (_, i) => chunkKey(hash, i))];
    const kept = await Promise.all(keys.map((key) => this.redis.expire(key, KEEP_S)));
    return kept.every((isThere) => isThere === 1);
  }
}

export function hashOf(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function headKey(hash: string): string {
  return `${KEY_PREFIX}:blob:${hash}`;
}

function chunkKey(hash: string, index: number): string {
  return `${headKey(hash)}:${index}`;
}
