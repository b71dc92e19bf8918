import { describe, expect, it } from "vitest";
import { hashBlocks } from "../../../mock-engines/kv/block-hashes.js";
import { SharedStorage } from "../../../mock-engines/kv/shared-storage.js";
import { decodeOf, freshIds, post, prefillOf, startFleet } from "../fleet.js";

const hashesOf = (first: number, blocks: number) =>
  hashBlocks(
    Int32Array.from({ length: 4 * blocks }, (_, i) => first + i),
    4,
    0,
  );

describe("the shared storage", () => {
  it("finds the leading blocks that were stored, and none after a gap", () => {
    const storage = new SharedStorage(100);
    const hashes = hashesOf(0, 10);
    storage.store(hashes, 4);
    expect(storage.leadingBlocks(hashes, 10)).toBe(4);
    expect(storage.leadingBlocks(hashes, 2)).toBe(2);
    expect(storage.leadingBlocks(hashesOf(1, 10), 10)).toBe(0);
  });

  it("drops the least recently used blocks beyond its capacity", () => {
    const storage = new SharedStorage(4);
    const [old, used, fresh] = [hashesOf(0, 2), hashesOf(100, 2), hashesOf(200, 2)];
    storage.store(old, 2);
    storage.store(used, 2);
    storage.store(old, 2);
    storage.store(fresh, 2);
    expect(storage.leadingBlocks(old, 2)).toBe(2);
    expect(storage.leadingBlocks(used, 2)).toBe(0);
  });
});

describe("KV handover in llm-d's shared-storage dialect", () => {
  it("declines on the decode engine, prefills, and then loads instead of computing", async () => {
    const fleet = await startFleet({ kvConnector: "shared_storage" });
    const [prefill, decode] = [prefillOf(fleet), decodeOf(fleet)];
    const prompt = freshIds(320);
    const asked = { prompt, max_tokens: 3, cache_hit_threshold: 0.8 };
    const declined = await post(decode, "/v1/completions", asked);
    expect(declined.json.choices[0]!.finish_reason).toBe("cache_threshold");
    await post(prefill, "/v1/completions", { prompt, max_tokens: 1 });
    const loaded = await post(decode, "/v1/completions", { ...asked, cache_hit_threshold: 0 });
    expect(loaded.json.choices[0]!.finish_reason).toBe("length");
    expect(loaded.json.usage.prompt_tokens_details).toEqual({ cached_tokens: 319 });
    const again = await post(decode, "/v1/completions", asked);
    expect(again.json.choices[0]!.finish_reason).toBe("length");
    await fleet.close();
  });
});
