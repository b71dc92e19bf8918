import OpenAI, { APIError, APIUserAbortError, BadRequestError } from "openai";
import { describe, expect, it } from "vitest";
import { startFleet, until, type Fleet } from "./support/fleet.js";
import { PREFILL_CACHED, sendJson } from "./support/scripted-engine.js";

const MESSAGES = [{ role: "user" as const, content: "hello" }];

function clientOf({ url }: Fleet): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
}

describe("the openai package, unchanged", () => {
  it("gets chat completions", async () => {
    const answer = await clientOf(await startFleet()).chat.completions.create({
      model: "mock",
      messages: MESSAGES,
      max_completion_tokens: 3,
    });
    expect(answer.choices[0]!.message.content).toBe(" t0 t1 t2");
    expect(answer.usage).toMatchObject({
      completion_tokens: 3,
      prompt_tokens_details: { cached_tokens: PREFILL_CACHED },
    });
  });

  it("gets chat as a stream, with usage", async () => {
    const stream = await clientOf(await startFleet()).chat.completions.create({
      model: "mock",
      messages: MESSAGES,
      max_completion_tokens: 3,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = "";
    let cached: number | undefined;
    for await (const { choices, usage } of stream) {
      text += choices[0]?.delta.content ?? "";
      cached = usage?.prompt_tokens_details?.cached_tokens ?? cached;
    }
    expect(text).toBe(" t0 t1 t2");
    expect(cached).toBe(PREFILL_CACHED);
  });

  it("gets completions, of text and of token ids, at once and as a stream", async () => {
    const client = clientOf(await startFleet());
    const answer = await client.completions.create({ model: "mock", prompt: [1, 2, 3], max_tokens: 2 });
    expect(answer.choices[0]!.text).toBe(" t0 t1");
    let text = "";
    const stream = await client.completions.create({
      model: "mock",
      prompt: "hello",
      max_tokens: 2,
      stream: true,
    });
    for await (const { choices } of stream) text += choices[0]!.text;
    expect(text).toBe(" t0 t1");
  });

  it("sees errors of workers, before the first token with their status", async () => {
    const fleet = await startFleet();
    fleet.prefill[0]!.script = (_, res) =>
      sendJson(res, 400, '{"error":{"message":"too long","type":"BadRequestError","code":400}}');
    const failed = clientOf(fleet).chat.completions.create({ model: "mock", messages: MESSAGES });
    await expect(failed).rejects.toThrow(BadRequestError);
    await expect(failed).rejects.toThrow(/too long/);
  });

  it("sees a stream that breaks as an error, not as an end", async () => {
    const fleet = await startFleet();
    fleet.decode[0]!.script = (_, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write('data: {"choices":[{"index":0,"text":"x"}]}\n\n');
      setImmediate(() => res.destroy());
    };
    const stream = await clientOf(fleet).completions.create({ model: "mock", prompt: "x", stream: true });
    const read = async () => {
      for await (const { choices } of stream) expect(choices[0]!.text).toBe("x");
    };
    await expect(read()).rejects.toThrow(APIError);
  });

  it("may abort a stream", async () => {
    const fleet = await startFleet();
    fleet.decode[0]!.script = (_, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write('data: {"choices":[{"index":0,"text":"x"}]}\n\n');
    };
    const arrived = fleet.decode[0]!.next();
    const stream = await clientOf(fleet).completions.create({ model: "mock", prompt: "x", stream: true });
    await stream[Symbol.asyncIterator]().next();
    stream.controller.abort();
    await (
      await arrived
    ).aborted;
    await until(() => fleet.proxy.router.isIdle());
  });

  it("may abort a request that has no answer yet", async () => {
    const fleet = await startFleet();
    fleet.prefill[0]!.script = () => undefined;
    const arrived = fleet.prefill[0]!.next();
    const controller = new AbortController();
    const failed = clientOf(fleet).chat.completions.create(
      { model: "mock", messages: MESSAGES },
      { signal: controller.signal },
    );
    const { aborted } = await arrived;
    controller.abort();
    await expect(failed).rejects.toThrow(APIUserAbortError);
    await aborted;
    await until(() => fleet.proxy.router.isIdle());
  });

  it("lists models", async () => {
    const fleet = await startFleet();
    fleet.decode[0]!.script = (_, res) =>
      sendJson(res, 200, '{"object":"list","data":[{"id":"mock","object":"model"}]}');
    const models = await clientOf(fleet).models.list();
    expect(models.data.map(({ id }) => id)).toEqual(["mock"]);
  });
});
