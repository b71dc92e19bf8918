import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BlobCache } from "../../../src/sweep/queue/blob-cache.js";
import { BlobStore } from "../../../src/sweep/queue/blob-store.js";
import { parseRedisUrl } from "../../../src/sweep/queue/redis-connection.js";
import { decodeTrace, encodeTrace } from "../../../src/sweep/queue/trace-blob.js";
import { generateWorkload } from "../../../src/workload/generate-workload.js";
import { toShared } from "../../../src/workload/shared-columns.js";
import { describeWithPrograms, startRedis, type RedisServer } from "../../support/redis-server.js";

describe("a trace as bytes", () => {
  it.each(["multi_turn_chat", "lengths", "shared_system_prompt"])("comes back as it was: %s", (kind) => {
    const trace = generateWorkload(kind, {}, { requests: 200, seed: 3 });
    const back = decodeTrace(encodeTrace(trace));
    expect(back).toEqual(toShared(trace));
    expect(back.arrivalMs.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it("is refused when it is cut short, or of another format", () => {
    const bytes = encodeTrace(generateWorkload("lengths", {}, { requests: 5 }));
    expect(() => decodeTrace(bytes.subarray(0, -1))).toThrow("cut short");
    const other = Buffer.from(bytes.toString("latin1").replace("columns@1", "columns@2"), "latin1");
    expect(() => decodeTrace(other)).toThrow("format pdbench/trace-columns@2");
  });
});

describe("--redis", () => {
  it.each(["redis://host", "redis://host:6380/2", "rediss://user:p%40ss@host:1", "redis://[::1]:6379"])(
    "takes %s",
    (url) => {
      expect(parseRedisUrl(url)).toMatchObject({ url });
    },
  );
  it.each([
    "host:6379",
    "http://host",
    "redis://",
    "redis://user:secret@host/x",
    "redis://h?secret=1",
    "secret",
  ])("refuses %s without repeating a password", (url) => {
    expect(() => parseRedisUrl(url)).toThrow(/^--redis: .*expected redis:/);
    expect(() => parseRedisUrl(url)).not.toThrow(/user:secret/);
  });
});

describeWithPrograms("content in Redis", ["redis-server"], () => {
  let redis: RedisServer;
  let store: BlobStore;
  const folder = mkdtempSync(join(tmpdir(), "pdbench-test-"));
  beforeAll(async () => {
    redis = await startRedis();
    store = new BlobStore(redis.client);
  });
  afterAll(async () => {
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("comes back under its hash, whatever it is", () =>
    fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 2000 }),
        fc.integer({ min: 1, max: 1500 }),
        async (part, times) => {
          const bytes = Buffer.concat(Array.from({ length: times }, () => part));
          expect((await store.get(await store.put(bytes))).equals(bytes)).toBe(true);
        },
      ),
      { numRuns: 25 },
    ));

  it("is not taken when it is damaged or gone", async () => {
    const hash = await store.put(Buffer.from("one"));
    const other = await store.put(Buffer.from("two"));
    await redis.client.copy(`pdbench:blob:${other}:0`, `pdbench:blob:${hash}:0`, "REPLACE");
    await expect(store.get(hash)).rejects.toThrow("damaged");
    await redis.client.del(`pdbench:blob:${hash}:0`);
    await expect(store.get(hash)).rejects.toThrow("is not whole");
    // Putting it again repairs it.
    expect((await store.get(await store.put(Buffer.from("one")))).toString()).toBe("one");
    await expect(store.get("0".repeat(64))).rejects.toThrow("is not in Redis");
  });

  it("is fetched once, and kept on disk for the next worker as long as it is whole", async () => {
    const hash = await store.put(Buffer.from("content"));
    const notes: string[] = [];
    const cache = (): BlobCache<string> =>
      new BlobCache(
        store,
        folder,
        (bytes) => bytes.toString(),
        (note) => notes.push(note),
      );
    const first = cache();
    expect(await Promise.all([first.get(hash), first.get(hash)])).toEqual(["content", "content"]);
    expect(notes).toEqual([expect.stringContaining("fetched")]);
    expect(await cache().get(hash)).toBe("content");
    expect(notes.at(-1)).toContain(`taken from ${folder}`);
    writeFileSync(join(folder, hash), "contend");
    expect(await cache().get(hash)).toBe("content");
    expect(notes.slice(-2)).toEqual([expect.stringContaining("damaged"), expect.stringContaining("fetched")]);
    expect(readdirSync(folder)).toEqual([hash]);
  });

  it("stays in memory where the disk cannot be used", async () => {
    const hash = await store.put(Buffer.from("content"));
    const file = join(folder, hash, "no-folder");
    const notes: string[] = [];
    const cache = new BlobCache(
      store,
      file,
      (bytes) => bytes.toString(),
      (note) => notes.push(note),
    );
    expect(await cache.get(hash)).toBe("content");
    expect(notes.at(-1)).toContain("cannot keep content on disk");
    expect(await cache.get(hash)).toBe("content");
    expect(notes).toHaveLength(2);
  });
});
