import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SteppedClock } from "../../../scripts/sim-vs-live/stepped-clock.js";
import type { MockFleet } from "../../../mock-engines/start-mock-engines.js";
import { decodeOf, freshIds, get, metric, post, prefillOf, startFleet, until, type Reply } from "../fleet.js";

const COMPLETIONS = "/v1/completions";
const PREFILL_PARAMS = {
  do_remote_decode: true,
  do_remote_prefill: false,
  remote_engine_id: null,
  remote_block_ids: null,
  remote_host: null,
  remote_port: null,
};

describe("KV handover between a prefill and a decode engine (NIXL pull)", () => {
  let fleet: MockFleet;
  const prefill = () => prefillOf(fleet);
  const decode = () => decodeOf(fleet);
  const held = () => prefill().state().ranks[0]!;

  beforeAll(async () => {
    fleet = await startFleet();
  });

  afterAll(() => fleet.close());

  async function handleFor(prompt: readonly number[]): Promise<Readonly<Record<string, unknown>>> {
    const body = { prompt, max_tokens: 1, kv_transfer_params: PREFILL_PARAMS };
    return (await post(prefill(), COMPLETIONS, body)).json.kv_transfer_params;
  }

  function decodeWith(prompt: readonly number[], params: unknown): Promise<Reply> {
    return post(decode(), COMPLETIONS, { prompt, max_tokens: 5, kv_transfer_params: params });
  }

  async function failures(reason: string): Promise<number> {
    const { text } = await get(decode(), "/metrics");
    return metric(text, "pdbench:kv_load_failures_total", `reason="${reason}"`) ?? 0;
  }

  it("issues a handle with the blocks of the prompt, and holds them", async () => {
    const handle = await handleFor(freshIds(100));
    expect(handle).toMatchObject({ do_remote_prefill: true, do_remote_decode: false, tp_size: 1 });
    expect(handle["remote_engine_id"]).toBe(held().engineId);
    expect(handle["remote_port"]).toBe(prefill().sideChannels[0]!.port);
    const blocks = handle["remote_block_ids"] as number[];
    expect(blocks).toHaveLength(7);
    expect(blocks.every((block) => Number.isInteger(block) && block > 0)).toBe(true);
    expect(held()).toMatchObject({ handlesOutstanding: 1, blocksInUse: 7 });
  });

  it("frees the blocks once the decode engine has read them, and computes only the last token there", async () => {
    const prompt = freshIds(2000);
    const reply = await decodeWith(prompt, await handleFor(prompt));
    expect(reply.status).toBe(200);
    expect(reply.json.usage.prompt_tokens_details).toEqual({ cached_tokens: 1999 });
    await until(() => held().handlesRead === 1);
    const { text } = await get(decode(), "/metrics");
    expect(metric(text, "vllm:nixl_bytes_transferred_sum")).toBe(2000 * 131_072);
    expect(metric(text, "vllm:external_prefix_cache_hits_total")).toBe(1999);
    // 262 MB at 200 Gbit/s and 2 ms of latency.
    expect(metric(text, "vllm:nixl_xfer_time_seconds_sum")).toBeCloseTo(0.002 + 0.0104858, 4);
  });

  it("says the same as an engine that computes the prompt itself", async () => {
    const prompt = freshIds(300);
    const remote = await decodeWith(prompt, await handleFor(prompt));
    const local = await post(decode(), COMPLETIONS, { prompt, max_tokens: 5 });
    expect(remote.json.choices[0]!.text).toBe(local.json.choices[0]!.text);
  });

  describe.each(["fail", "recompute"] as const)("with kv_load_failure_policy %s", (policy) => {
    beforeAll(() => decode().changeKnobs({ kv_load_failure_policy: policy }));

    const WRONG: readonly (readonly [string, (handle: Readonly<Record<string, unknown>>) => unknown])[] = [
      ["missing", () => ({ do_remote_prefill: true })],
      ["missing", (handle) => ({ ...handle, remote_block_ids: [] })],
      ["missing", (handle) => ({ ...handle, remote_block_ids: ["1"] })],
      ["wrong_engine", (handle) => ({ ...handle, remote_engine_id: "another" })],
      ["wrong_blocks", (handle) => ({ ...handle, remote_block_ids: [9999] })],
      ["unknown", (handle) => ({ ...handle, remote_request_id: "another" })],
      ["unreachable", (handle) => ({ ...handle, remote_port: 1 })],
    ];

    it.each(WRONG)("a handle that is %s is an error or a counted fallback", async (reason, spoil) => {
      const prompt = freshIds(64);
      const before = await failures(reason);
      const reply = await decodeWith(prompt, spoil(await handleFor(prompt)));
      expect(await failures(reason)).toBe(before + 1);
      if (policy === "fail") {
        expect(reply.status).toBe(500);
        expect(reply.json.error).toMatchObject({ message: "Internal server error", code: 500 });
      } else {
        expect(reply.status).toBe(200);
        expect(reply.json.usage.completion_tokens).toBe(5);
        expect(reply.json.usage.prompt_tokens_details).toBeUndefined();
      }
    });

    it("a handle that is presented twice is good once", async () => {
      const prompt = freshIds(64);
      const handle = await handleFor(prompt);
      const before = await failures("duplicate");
      expect((await decodeWith(prompt, handle)).status).toBe(200);
      expect((await decodeWith(freshIds(64), handle)).status).toBe(policy === "fail" ? 500 : 200);
      expect(await failures("duplicate")).toBe(before + 1);
    });

    it("a failed stream that has begun ends with an error event", async () => {
      const prompt = freshIds(64);
      const params = { ...(await handleFor(prompt)), remote_block_ids: [9999] };
      const body = { prompt, max_tokens: 5, stream: true, kv_transfer_params: params };
      const reply = await post(decode(), COMPLETIONS, body);
      expect(reply.status).toBe(200);
      expect(reply.text.includes('"error"')).toBe(policy === "fail");
      expect(reply.text.endsWith("data: [DONE]\n\n")).toBe(true);
    });

    it("a KV transfer that fails on the wire leaves the handle to its lease", async () => {
      decode().changeKnobs({ kv_failure_rate: 1 });
      const prompt = freshIds(64);
      const reply = await decodeWith(prompt, await handleFor(prompt));
      decode().changeKnobs({ kv_failure_rate: 0 });
      expect(reply.status).toBe(policy === "fail" ? 500 : 200);
      expect(await failures("injected")).toBeGreaterThan(0);
      expect(held().handlesOutstanding).toBeGreaterThan(0);
    });

    it("a handle whose lease has ended is refused, and its blocks are free", async () => {
      prefill().changeKnobs({ kv_lease_ms: 0 });
      const expired = held().handlesExpired;
      const prompt = freshIds(64);
      const handle = await handleFor(prompt);
      prefill().changeKnobs({ kv_lease_ms: null });
      // Handles that other tests left to their leases may end meanwhile, too.
      await until(() => held().handlesExpired > expired);
      const before = await failures("expired");
      expect((await decodeWith(prompt, handle)).status).toBe(policy === "fail" ? 500 : 200);
      expect(await failures("expired")).toBe(before + 1);
    });
  });

  it("gives the handle back unread when the client leaves before the decode engine has begun to read", async () => {
    const blocker = freshIds(60_000);
    const small = await startFleet({ timeScale: 1, settings: { "engine.max_num_batched_tokens": 512 } });
    const [source, sink] = [prefillOf(small), decodeOf(small)];
    const prompt = freshIds(64);
    const body = { prompt, max_tokens: 1, kv_transfer_params: PREFILL_PARAMS };
    const params = (await post(source, COMPLETIONS, body)).json.kv_transfer_params;
    // A long local prefill uses the whole token budget, and a load starts only where some is left.
    const busy = new AbortController();
    const options = (of: AbortController, sent: object) => ({
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(sent),
      signal: of.signal,
    });
    const first = fetch(`${sink.url}${COMPLETIONS}`, options(busy, { prompt: blocker, max_tokens: 1 }));
    first.catch(() => undefined);
    await until(() => sink.state().ranks[0]!.running === 1);
    const gone = new AbortController();
    const second = fetch(
      `${sink.url}${COMPLETIONS}`,
      options(gone, { prompt, max_tokens: 1, kv_transfer_params: params }),
    );
    second.catch(() => undefined);
    await until(() => sink.state().ranks[0]!.waiting === 1);
    gone.abort();
    await until(() => source.state().ranks[0]!.handlesReleased === 1);
    busy.abort();
    await until(() => sink.state().ranks[0]!.blocksInUse === 0 && source.state().ranks[0]!.blocksInUse === 0);
    await small.close();
  });

  it("forgets its handles when it crashes", async () => {
    decode().changeKnobs({ kv_load_failure_policy: "recompute" });
    const prompt = freshIds(64);
    const handle = await handleFor(prompt);
    await prefill().crash(0);
    await until(() => prefill().state().ranks[0]!.handlesOutstanding === 0);
    const before = (await failures("wrong_engine")) + (await failures("unreachable"));
    expect((await decodeWith(prompt, handle)).status).toBe(200);
    expect((await failures("wrong_engine")) + (await failures("unreachable"))).toBe(before + 1);
  });
});

describe("a prefill engine whose client leaves within the step that ends the request", () => {
  it("holds the blocks as for any reader, and frees them when the lease ends", async () => {
    const clock = new SteppedClock();
    const fleet = await startFleet({ clock });
    const engine = prefillOf(fleet);
    const held = () => engine.state().ranks[0]!;
    const client = new AbortController();
    const left = fetch(`${engine.url}${COMPLETIONS}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ prompt: freshIds(100), max_tokens: 1, kv_transfer_params: PREFILL_PARAMS }),
      signal: client.signal,
    }).catch(() => undefined);
    await until(() => held().running === 1);
    client.abort();
    await left;
    await until(() => engine.state().serverLoad === 0);
    while (held().handlesOutstanding === 0) clock.step();
    expect(held()).toMatchObject({ openLegs: 0, handlesIssued: 1, blocksInUse: 7 });
    while (clock.nextDueMs < Infinity) clock.step();
    expect(held()).toMatchObject({ handlesOutstanding: 0, handlesExpired: 1, blocksInUse: 0 });
    await fleet.close();
  });
});
