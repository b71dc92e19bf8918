import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { MockFleet } from "../../mock-engines/start-mock-engines.js";
import { decodeOf, freshIds, get, post, startFleet, until } from "./fleet.js";

const COMPLETIONS = "/v1/completions";
const body = { prompt: "Hello", max_tokens: 6 };

describe("injected faults", () => {
  let fleet: MockFleet;
  const engine = () => decodeOf(fleet);
  const idle = () => engine().state().serverLoad === 0 && engine().state().ranks[0]!.openLegs === 0;

  beforeEach(async () => {
    fleet = await startFleet();
  });

  afterEach(() => fleet.close());

  it("answer with the status that is asked for, and only generation", async () => {
    await post(engine(), "/admin/config", { error_rate: 1, error_status: 503 });
    const { status, json } = await post(engine(), COMPLETIONS, body);
    expect(status).toBe(503);
    expect(json.error).toMatchObject({ type: "ServiceUnavailableError", code: 503 });
    expect((await get(engine(), "/health")).status).toBe(200);
    await post(engine(), "/admin/config", { error_rate: 0 });
    expect((await post(engine(), COMPLETIONS, body)).status).toBe(200);
  });

  it("hit the same requests under the same seed, whatever other rates are", async () => {
    const statuses = async (knobs: object): Promise<number[]> => {
      const other = await startFleet({ knobs: { error_rate: 0.5, ...knobs } });
      const seen = [];
      for (let i = 0; i < 20; i++) seen.push((await post(decodeOf(other), COMPLETIONS, body)).status);
      await other.close();
      return seen;
    };
    const first = await statuses({});
    expect(new Set(first)).toEqual(new Set([200, 500]));
    expect(await statuses({ delay_ms: 1, kv_failure_rate: 0.5 })).toEqual(first);
  });

  it("fail one request that asks for it", async () => {
    const reply = await post(engine(), COMPLETIONS, body, { "x-return-error": "418" });
    expect(reply.status).toBe(418);
    expect((await post(engine(), COMPLETIONS, body, { "x-return-error": "200" })).status).toBe(400);
  });

  it("delay a request in engine time", async () => {
    await post(engine(), "/admin/config", { delay_ms: 2000 });
    const startMs = fleet.nowMs();
    await post(engine(), COMPLETIONS, body);
    expect(fleet.nowMs() - startMs).toBeGreaterThan(2000);
  });

  it("never answer, until the client leaves", async () => {
    engine().changeKnobs({ hang_rate: 1 });
    const controller = new AbortController();
    const hanging = fetch(`${engine().url}${COMPLETIONS}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: controller.signal,
    });
    await until(() => engine().state().serverLoad === 1);
    controller.abort();
    await expect(hanging).rejects.toThrow();
    await until(idle);
  });

  it("reset the connection before the first byte", async () => {
    engine().changeKnobs({ reset_rate: 1 });
    await expect(post(engine(), COMPLETIONS, body)).rejects.toThrow("fetch failed");
    await until(idle);
  });

  it("reset the connection in mid-stream, after as many tokens as asked for", async () => {
    engine().changeKnobs({ midstream_reset_rate: 1, midstream_reset_tokens: 2 });
    const response = await fetch(`${engine().url}${COMPLETIONS}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...body, stream: true, max_tokens: 5000 }),
    });
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
    await until(idle);
    expect(engine().state().ranks[0]!.blocksInUse).toBe(0);
  });

  it("crash: connections are reset, and the engine is back on its port with an empty cache", async () => {
    const prompt = freshIds(100);
    await post(engine(), COMPLETIONS, { prompt, max_tokens: 1 });
    const { url } = engine();
    const open = post(engine(), COMPLETIONS, { prompt: freshIds(10), max_tokens: 100_000 });
    await until(() => engine().state().ranks[0]!.running === 1);
    const crashing = await post(engine(), "/admin/crash?restart_after_ms=100", {});
    expect(crashing.status).toBe(202);
    await expect(open).rejects.toThrow();
    let reply = null;
    while (reply === null)
      reply = await post({ url }, COMPLETIONS, { prompt, max_tokens: 1 }).catch(() => null);
    expect(reply.status).toBe(200);
    expect(reply.json.usage.prompt_tokens_details).toBeUndefined();
  });

  it("start slowly: 503 until the engine is up", async () => {
    const slow = await startFleet({ timeScale: 1, knobs: { startup_ms: 1000 } });
    expect((await get(decodeOf(slow), "/health")).status).toBe(503);
    expect((await get(decodeOf(slow), "/admin/config")).status).toBe(200);
    let { status } = await get(decodeOf(slow), "/health");
    while (status === 503) ({ status } = await get(decodeOf(slow), "/health"));
    expect(status).toBe(200);
    expect(slow.nowMs()).toBeGreaterThan(1000);
    await slow.close();
  });
});

describe("the admin API", () => {
  it("shows and changes knobs, all or none", async () => {
    const fleet = await startFleet({ knobs: { kv_lease_ms: 5 } });
    const engine = decodeOf(fleet);
    expect((await get(engine, "/admin/config")).json).toMatchObject({ error_rate: 0, kv_lease_ms: 5 });
    const changed = await post(engine, "/admin/config", { error_rate: 0.1, delay_ms: 3 });
    expect(changed.json).toMatchObject({ error_rate: 0.1, delay_ms: 3, kv_lease_ms: 5 });
    const refused = await post(engine, "/admin/config", { delay_ms: 4, error_rat: 1 });
    expect(refused.status).toBe(400);
    expect(refused.json.error.message).toBe(
      '/admin/config: error_rat: no such knob, did you mean "error_rate"?',
    );
    const wrong = await post(engine, "/admin/config", { delay_ms: 4, error_rate: 1.5 });
    expect(wrong.json.error.message).toBe("/admin/config: error_rate: 1.5: expected a number from 0 to 1");
    expect((await get(engine, "/admin/config")).json).toMatchObject({ delay_ms: 3 });
    await fleet.close();
  });

  it("tells the state of the engine", async () => {
    const fleet = await startFleet();
    const { json } = await get(decodeOf(fleet), "/admin/state");
    expect(json).toMatchObject({ name: "decode-0", role: "decode", sleeping: false, server_load: 0 });
    expect(json["ranks"]).toMatchObject([{ open_legs: 0, blocks_in_use: 0, handles_outstanding: 0 }]);
    await fleet.close();
  });
});
