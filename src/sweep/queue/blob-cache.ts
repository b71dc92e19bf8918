import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hashOf, type BlobStore } from "./blob-store.js";

/** What is decoded and kept in memory at once: a worker seldom serves more studies than this. */
const KEPT = 4;

/**
 * Content by hash, fetched once: it stays in memory as long as it is in use, and on disk for the next worker of this
 * machine.
 */
export class BlobCache<T> {
  private readonly store: BlobStore;
  private readonly directory: string;
  private readonly decode: (bytes: Buffer) => T;
  private readonly note: (message: string) => void;
  /** By hash, the one used last at the end. */
  private readonly kept = new Map<string, Promise<T>>();
  private isDiskUsable = true;

  /** @param note told of every fetch, and of a disk that cannot be used */
  constructor(
    store: BlobStore,
    directory: string,
    decode: (bytes: Buffer) => T,
    note: (message: string) => void,
  ) {
    this.store = store;
    this.directory = directory;
    this.decode = decode;
    this.note = note;
  }

  /** @throws Error when the content is not to be had */
  async get(hash: string): Promise<T> {
    const known = this.kept.get(hash);
    this.kept.delete(hash);
    const content = known ?? this.fetch(hash).then(this.decode);
    this.kept.set(hash, content);
    for (const oldest of this.kept.keys()) if (this.kept.size > KEPT) this.kept.delete(oldest);
    try {
      return await content;
    } catch (error) {
      this.kept.delete(hash);
      throw error;
    }
  }

  private async fetch(hash: string): Promise<Buffer> {
    const path = join(this.directory, hash);
    if (existsSync(path)) {
      const bytes = await readFile(path);
      if (hashOf(bytes) === hash) {
        this.note(`content ${hash.slice(0, 12)} taken from ${this.directory}`);
        return bytes;
      }
      this.note(`${path} is damaged and is fetched again`);
    }
    const bytes = await this.store.get(hash);
    this.note(`content ${hash.slice(0, 12)} fetched, ${(bytes.length / 1e6).toFixed(1)} MB`);
    if (this.isDiskUsable) await this.save(path, bytes);
    return bytes;
  }

  private async save(path: string, bytes: Buffer): Promise<void> {
    const partial = `${path}.${process.pid}.partial`;
    try {
      await mkdir(this.directory, { recursive: true });
      await writeFile(partial, bytes);
      await rename(partial, path);
    } catch (error) {
      this.isDiskUsable = false;
      const reason = error instanceof Error ? error.message : String(error);
      this.note(`cannot keep content on disk (it stays in memory): ${reason}`);
    }
  }
}
