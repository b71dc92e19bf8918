import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MockFleet } from "../../mock-engines/start-mock-engines.js";
import { decodeOf, freshIds, get, metric, post, prefillOf, startFleet, until } from "./fleet.js";

describe("several engines behind one port (data parallel)", () => {
  let fleet: MockFleet;

  beforeAll(async () => {
    fleet = await startFleet({ dataParallelSize: 3 });
  });

  afterAll(() => fleet.close());

  const ask = (prompt: readonly number[], headers: Record<string, string> = {}) =>
    post(decodeOf(fleet), "/v1/completions", { prompt, max_tokens: 2 }, headers);

  it("send a request to the rank that its header names, each with a cache of its own", async () => {
    const prompt = freshIds(100);
    await ask(prompt, { "x-data-parallel-rank": "2" });
    const same = await ask(prompt, { "x-data-parallel-rank": "2" });
    const other = await ask(prompt, { "x-data-parallel-rank": "0" });
    expect(same.json.usage.prompt_tokens_details).toEqual({ cached_tokens: 96 });
    expect(other.json.usage.prompt_tokens_details).toBeUndefined();
    const { text } = await get(decodeOf(fleet), "/metrics");
    expect(metric(text, "vllm:request_success_total", 'engine="2",finished_reason="length"')).toBe(2);
  });

  it("spread requests without the header over the ranks", async () => {
    const controller = new AbortController();
    const open = [0, 1, 2].map(() =>
      fetch(`${decodeOf(fleet).url}/v1/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ prompt: freshIds(20), max_tokens: 20_000 }),
        signal: controller.signal,
      }),
    );
    for (const request of open) request.catch(() => undefined);
    const running = () =>
      decodeOf(fleet)
        .state()
        .ranks.map((rank) => rank.running);
    await until(() => running().join() === "1,1,1");
    controller.abort();
    await until(() => running().join() === "0,0,0");
  });

  it("hand KV over between ranks: the handle names the rank's own id and side channel", async () => {
    const prompt = freshIds(200);
    const body = { prompt, max_tokens: 1, kv_transfer_params: { do_remote_decode: true } };
    const prefilled = await post(prefillOf(fleet), "/v1/completions", body, { "x-data-parallel-rank": "1" });
    const handle = prefilled.json.kv_transfer_params;
    expect(handle["remote_port"]).toBe(prefillOf(fleet).sideChannels[1]!.port);
    const decoded = await post(decodeOf(fleet), "/v1/completions", {
      prompt,
      max_tokens: 2,
      kv_transfer_params: handle,
    });
    expect(decoded.json.usage.prompt_tokens_details).toEqual({ cached_tokens: 199 });
  });

  it.each(["3", "-1", "x"])("refuse rank %s", async (rank) => {
    expect((await ask([1], { "x-data-parallel-rank": rank })).status).toBe(400);
  });
});
