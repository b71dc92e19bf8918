import { Dealer, Subscriber } from "zeromq";
import { describe, expect, it } from "vitest";
import { hashBlocks, rootHash } from "../../../mock-engines/kv/block-hashes.js";
import { decodeOf, freshIds, post, startFleet } from "../fleet.js";
import { decodeMsgpack } from "./decode-msgpack.js";

interface Batch {
  readonly topic: string;
  readonly sequence: bigint;
  readonly events: readonly (readonly unknown[])[];
  readonly rank: unknown;
}

function batchOf([topic, sequence, payload]: readonly Buffer[]): Batch {
  const [, events, rank] = decodeMsgpack(payload!) as [number, unknown[][], unknown];
  return { topic: topic!.toString(), sequence: sequence!.readBigUInt64BE(), events, rank };
}

/** Hashes that are cached after the events, each with how many blocks hold it. */
function cachedAfter(batches: readonly Batch[]): Map<bigint, number> {
  const cached = new Map<bigint, number>();
  for (const [kind, hashes] of batches.flatMap(({ events }) => events)) {
    if (kind === "AllBlocksCleared") cached.clear();
    for (const hash of (hashes ?? []) as (bigint | number)[]) {
      const copies = (cached.get(BigInt(hash)) ?? 0) + (kind === "BlockStored" ? 1 : -1);
      if (copies === 0) cached.delete(BigInt(hash));
      else cached.set(BigInt(hash), copies);
    }
  }
  return cached;
}

function hashesOf(prompt: readonly number[]): bigint[] {
  const { high, low } = hashBlocks(Int32Array.from(prompt), 16, rootHash(null, null));
  return Array.from(low, (value, i) => (BigInt(high[i]!) << 32n) | BigInt(value));
}

describe("KV events over ZMQ", () => {
  it("tell a subscriber what the prefix cache holds, and can be replayed", async () => {
    const fleet = await startFleet({
      kvEvents: { topic: "kv" },
      settings: { "engine.num_gpu_blocks": 40, "engine.max_model_len": 600 },
    });
    const engine = decodeOf(fleet);
    const { port, replayPort } = engine.kvEvents[0]!;
    const subscriber = new Subscriber({ linger: 0 });
    subscriber.connect(`tcp://127.0.0.1:${port}`);
    subscriber.subscribe("kv");
    const live: Batch[] = [];
    const received = (async () => {
      for await (const frames of subscriber) live.push(batchOf(frames));
    })();

    // Thirty blocks each, so that the second prompt evicts most of the first.
    const [first, second] = [freshIds(480), freshIds(480)];
    const ask = (prompt: readonly number[]) => post(engine, "/v1/completions", { prompt, max_tokens: 2 });
    await ask(first);
    await ask(second);
    await ask(second);

    const replayed = await replay(replayPort, 0n);
    expect(replayed.map(({ sequence }) => sequence)).toEqual(replayed.map((_, i) => BigInt(i)));
    expect(await replay(replayPort, 2n)).toEqual(replayed.slice(2));
    const stored = replayed.flatMap(({ events }) => events).filter(([kind]) => kind === "BlockStored");
    expect(stored[0]!.slice(2)).toEqual([null, first.slice(0, 480), 16, null, "GPU", null]);

    const cached = cachedAfter(replayed);
    for (const hash of hashesOf(second)) expect(cached.has(hash)).toBe(true);
    expect([...cached.values()].reduce((sum, copies) => sum + copies, 0)).toBeLessThanOrEqual(39);
    const survivors = hashesOf(first).filter((hash) => cached.has(hash)).length;
    const again = await ask(first);
    expect(again.json.usage.prompt_tokens_details?.cached_tokens ?? 0).toBe(survivors * 16);

    await post(engine, "/reset_prefix_cache", {});
    const afterReset = await replay(replayPort, 0n);
    expect(afterReset.at(-1)!.events).toEqual([["AllBlocksCleared"]]);
    expect(cachedAfter(afterReset).size).toBe(0);

    await fleet.close();
    subscriber.close();
    await received;
    // A subscriber that connects late misses batches: that is what the replay is for.
    const seen = new Map(live.map((batch) => [batch.sequence, batch.events]));
    for (const { sequence, events } of afterReset)
      if (seen.has(sequence)) expect(seen.get(sequence)).toEqual(events);
    expect(live.every(({ topic, rank }) => topic === "kv" && rank === 0)).toBe(true);
  });
});

/** Asks for all batches from a number on. */
async function replay(port: number, from: bigint): Promise<Batch[]> {
  const dealer = new Dealer({ linger: 0 });
  dealer.connect(`tcp://127.0.0.1:${port}`);
  const request = Buffer.alloc(8);
  request.writeBigUInt64BE(from);
  await dealer.send(["", request]);
  const batches: Batch[] = [];
  for await (const [, sequence, payload] of dealer) {
    if (payload!.length === 0) break;
    batches.push({ ...batchOf([Buffer.alloc(0), sequence!, payload!]), topic: "" });
  }
  dealer.close();
  return batches;
}
