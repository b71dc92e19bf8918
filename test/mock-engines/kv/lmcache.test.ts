import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MockFleet } from "../../../mock-engines/start-mock-engines.js";
import { decodeOf, freshIds, get, metric, post, prefillOf, startFleet, until } from "../fleet.js";

const COMPLETIONS = "/v1/completions";

describe("KV handover in LMCache's dialect (push)", () => {
  let fleet: MockFleet;

  beforeAll(async () => {
    fleet = await startFleet();
  });

  afterAll(() => fleet.close());

  const spec = (port: number) => ({
    req_id: "r1",
    receiver_host: "127.0.0.1",
    receiver_init_port: [port],
    receiver_alloc_port: [port],
  });

  it("pushes the KV to the receiver and returns the first token, which the prompt then ends with", async () => {
    const [prefill, decode] = [prefillOf(fleet), decodeOf(fleet)];
    const prompt = freshIds(500);
    const kv_transfer_params = { ret_first_tok: true, disagg_spec: spec(decode.sideChannels[0]!.port) };
    const first = await post(prefill, COMPLETIONS, { prompt, max_tokens: 1, kv_transfer_params });
    const firstToken = first.json.kv_transfer_params["first_tok"] as number;
    const whole = await post(prefill, COMPLETIONS, { prompt, max_tokens: 3, return_token_ids: true });
    expect(firstToken).toBe(whole.json.choices[0]!.token_ids[0]);
    expect(decode.state().ranks[0]!.received).toBe(1);

    const body = { prompt: [...prompt, firstToken], max_tokens: 4 };
    const second = await post(decode, COMPLETIONS, body);
    expect(second.json.usage.prompt_tokens_details).toEqual({ cached_tokens: 500 });
    expect(decode.state().ranks[0]!.received).toBe(0);
    expect(prefill.state().ranks[0]!.blocksInUse).toBe(0);
    expect(metric((await get(decode, "/metrics")).text, "vllm:nixl_bytes_transferred_sum")).toBe(
      512 * 131_072,
    );
  });

  it("does not use KV of another prompt", async () => {
    const [prefill, decode] = [prefillOf(fleet), decodeOf(fleet)];
    const kv_transfer_params = { ret_first_tok: true, disagg_spec: spec(decode.sideChannels[0]!.port) };
    await post(prefill, COMPLETIONS, { prompt: freshIds(100), max_tokens: 1, kv_transfer_params });
    const other = await post(decode, COMPLETIONS, { prompt: freshIds(101), max_tokens: 1 });
    expect(other.json.usage.prompt_tokens_details).toBeUndefined();
    expect(decode.state().ranks[0]!.received).toBe(1);
  });

  it.each([
    ["fail", 500],
    ["recompute", 200],
  ] as const)("with policy %s answers %d when the receiver cannot be reached", async (policy, status) => {
    const prefill = prefillOf(fleet);
    prefill.changeKnobs({ kv_load_failure_policy: policy });
    const kv_transfer_params = { ret_first_tok: true, disagg_spec: spec(1) };
    const reply = await post(prefill, COMPLETIONS, {
      prompt: freshIds(50),
      max_tokens: 1,
      kv_transfer_params,
    });
    expect(reply.status).toBe(status);
    const { text } = await get(prefill, "/metrics");
    expect(metric(text, "pdbench:kv_load_failures_total", 'reason="unreachable"')).toBeGreaterThan(0);
    expect(prefill.state().ranks[0]!.blocksInUse).toBe(0);
  });

  it("fails a request whose KV is on its way when the engine is put to sleep", async () => {
    const slow = await startFleet({ settings: { "network.kv_transfer.latency_ms": 1_000_000 } });
    const [prefill, decode] = [prefillOf(slow), decodeOf(slow)];
    const kv_transfer_params = { ret_first_tok: true, disagg_spec: spec(decode.sideChannels[0]!.port) };
    const waiting = post(prefill, COMPLETIONS, { prompt: freshIds(50), max_tokens: 1, kv_transfer_params });
    // Generated, and held until the KV is there.
    const rank = () => prefill.state().ranks[0]!;
    await until(() => rank().blocksInUse > 0 && rank().openLegs === 0);
    await post(prefill, "/sleep", {});
    expect((await waiting).status).toBe(503);
    await slow.close();
  });
});
