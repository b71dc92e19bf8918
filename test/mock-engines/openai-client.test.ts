import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MockFleet, RunningEngine } from "../../mock-engines/start-mock-engines.js";
import { decodeOf, startFleet, until } from "./fleet.js";

describe("the openai package against a mock engine", () => {
  let fleet: MockFleet;
  let engine: RunningEngine;
  let client: OpenAI;

  beforeAll(async () => {
    fleet = await startFleet();
    engine = decodeOf(fleet);
    client = new OpenAI({ baseURL: `${engine.url}/v1`, apiKey: "none", maxRetries: 0 });
  });

  afterAll(() => fleet.close());

  const chat = {
    model: "Llama-3.1-8B",
    messages: [{ role: "user" as const, content: "How are you today?" }],
  };

  it("completes a chat", async () => {
    const answer = await client.chat.completions.create({ ...chat, max_completion_tokens: 8 });
    expect(answer.object).toBe("chat.completion");
    expect(answer.choices[0]!.message.role).toBe("assistant");
    expect(answer.choices[0]!.message.content!.trim().split(" ")).toHaveLength(8);
    expect(answer.choices[0]!.finish_reason).toBe("length");
    expect(answer.usage).toMatchObject({ prompt_tokens: 14, completion_tokens: 8, total_tokens: 22 });
  });

  it("streams a chat: role, content, finish reason, usage", async () => {
    const stream = await client.chat.completions.create({
      ...chat,
      max_completion_tokens: 5,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks[0]!.choices[0]!.delta).toEqual({ role: "assistant", content: "" });
    const content = chunks.slice(1, -1).map((chunk) => chunk.choices[0]!.delta.content);
    expect(content).toHaveLength(5);
    expect(chunks.at(-2)!.choices[0]!.finish_reason).toBe("length");
    expect(chunks.at(-1)!.choices).toEqual([]);
    expect(chunks.at(-1)!.usage).toMatchObject({ prompt_tokens: 14, completion_tokens: 5 });

    const whole = await client.chat.completions.create({ ...chat, max_completion_tokens: 5 });
    expect(content.join("")).toBe(whole.choices[0]!.message.content);
  });

  it("completes a prompt, whole and streamed, with the same text", async () => {
    const request = { model: "Llama-3.1-8B", prompt: "Once upon a time", max_tokens: 6 };
    const whole = await client.completions.create(request);
    const stream = await client.completions.create({ ...request, stream: true });
    let text = "";
    for await (const chunk of stream) text += chunk.choices[0]!.text;
    expect(text).toBe(whole.choices[0]!.text);
    expect(whole.usage!.prompt_tokens).toBe(4);
  });

  it("gives n choices for each of a batch of prompts, in order", async () => {
    const answer = await client.completions.create({
      model: "Llama-3.1-8B",
      prompt: ["One", "Two"],
      n: 2,
      max_tokens: 3,
    });
    expect(answer.choices.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    expect(new Set(answer.choices.map(({ text }) => text)).size).toBe(4);
    expect(answer.usage).toMatchObject({ prompt_tokens: 2, completion_tokens: 12 });
  });

  it("reports cached prompt tokens the second time", async () => {
    const prompt = Array.from({ length: 100 }, (_, i) => 5000 + i);
    const request = { model: "Llama-3.1-8B", prompt, max_tokens: 2 };
    const cold = await client.completions.create(request);
    const warm = await client.completions.create(request);
    expect(cold.usage!.prompt_tokens_details).toBeUndefined();
    expect(warm.usage!.prompt_tokens_details!.cached_tokens).toBe(96);
  });

  it("raises the errors of the package for the statuses of vLLM", async () => {
    await expect(client.chat.completions.create({ ...chat, model: "nobody" })).rejects.toThrow(
      OpenAI.NotFoundError,
    );
    await expect(
      client.chat.completions.create({ ...chat, max_completion_tokens: 1_000_000 }),
    ).rejects.toThrow(OpenAI.BadRequestError);
    const headers = { "X-Return-Error": "429" };
    await expect(client.chat.completions.create(chat, { headers })).rejects.toThrow(OpenAI.RateLimitError);
  });

  it("aborts a stream that the client leaves, and frees its blocks", async () => {
    const stream = await client.chat.completions.create({
      ...chat,
      max_completion_tokens: 50_000,
      stream: true,
    });
    for await (const chunk of stream) {
      if (chunk.choices[0]!.delta.content !== "") break;
    }
    const rank = () => engine.state().ranks[0]!;
    await until(() => rank().openLegs === 0 && rank().blocksInUse === 0);
    expect(engine.state().serverLoad).toBe(0);
  });

  it("lists its model", async () => {
    const models = await client.models.list();
    expect(models.data.map(({ id, owned_by }) => [id, owned_by])).toEqual([["Llama-3.1-8B", "vllm"]]);
  });
});
