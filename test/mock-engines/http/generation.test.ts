import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MockFleet } from "../../../mock-engines/start-mock-engines.js";
import { decodeOf, events, freshIds, post, startFleet } from "../fleet.js";

const COMPLETIONS = "/v1/completions";
const CHAT = "/v1/chat/completions";
const GENERATE = "/inference/v1/generate";

describe("generation", () => {
  let fleet: MockFleet;
  const engine = () => decodeOf(fleet);

  beforeAll(async () => {
    fleet = await startFleet();
  });

  afterAll(() => fleet.close());

  it("gives 16 tokens to a completion that states no limit, and the knob's number to a chat", async () => {
    const completion = await post(engine(), COMPLETIONS, { prompt: "a" });
    expect(completion.json.usage.completion_tokens).toBe(16);
    expect(completion.json.choices[0]!.finish_reason).toBe("length");
    const chat = await post(engine(), CHAT, { messages: [{ role: "user", content: "a" }] });
    expect(chat.json.usage.completion_tokens).toBe(128);
    expect(chat.json.choices[0]!.finish_reason).toBe("stop");
  });

  it("takes the newer limit of a chat over the deprecated one", async () => {
    const messages = [{ role: "user", content: "a" }];
    const body = { messages, max_tokens: 9, max_completion_tokens: 4 };
    expect((await post(engine(), CHAT, body)).json.usage.completion_tokens).toBe(4);
  });

  it("says the same for the same prompt and seed, and something else for another seed", async () => {
    const text = async (seed: number): Promise<string> =>
      (await post(engine(), COMPLETIONS, { prompt: "Tell me", seed })).json.choices[0]!.text;
    expect(await text(1)).toBe(await text(1));
    expect(await text(1)).not.toBe(await text(2));
  });

  it("ends at a stop string, and keeps it only on demand", async () => {
    const body = { prompt: "Tell me a story", max_tokens: 20 };
    const whole = (await post(engine(), COMPLETIONS, body)).json.choices[0]!.text;
    const stop = whole.split(" ")[5]!;
    const cut = (await post(engine(), COMPLETIONS, { ...body, stop })).json;
    expect(cut.choices[0]).toMatchObject({
      text: whole.slice(0, whole.indexOf(stop)),
      finish_reason: "stop",
      stop_reason: stop,
    });
    expect(cut.usage.completion_tokens).toBeLessThanOrEqual(5);
    const kept = (await post(engine(), COMPLETIONS, { ...body, stop, include_stop_str_in_output: true }))
      .json;
    expect(kept.choices[0]!.text).toBe(whole.slice(0, whole.indexOf(stop) + stop.length));
    const streamed = events((await post(engine(), COMPLETIONS, { ...body, stop, stream: true })).text);
    expect(streamed.map(({ choices }) => choices[0]!.text).join("")).toBe(cut.choices[0]!.text);
  });

  it("ends at a stop token, but not before min_tokens", async () => {
    const body = { token_ids: freshIds(5), sampling_params: { max_tokens: 12 } };
    const ids = (await post(engine(), GENERATE, body)).json.choices[0]!.token_ids;
    const stopTokenIds = [ids[2]];
    const cut = await post(engine(), GENERATE, {
      ...body,
      sampling_params: { max_tokens: 12, stop_token_ids: stopTokenIds },
    });
    expect(cut.json.choices[0]).toMatchObject({
      finish_reason: "stop",
      token_ids: ids.slice(0, ids.indexOf(ids[2]!) + 1),
    });
    const late = await post(engine(), GENERATE, {
      ...body,
      sampling_params: { max_tokens: 12, min_tokens: 12, stop_token_ids: stopTokenIds },
    });
    expect(late.json.choices[0]!.token_ids).toHaveLength(12);
  });

  it("echoes the prompt, also one that came as ids, also alone", async () => {
    const ids = (await post(engine(), "/tokenize", { prompt: "Hello there" })).json.tokens;
    const text = (body: object): Promise<string> =>
      post(engine(), COMPLETIONS, { echo: true, ...body }).then(({ json }) => json.choices[0]!.text);
    expect(await text({ prompt: "Hello there", max_tokens: 2 })).toMatch(/^Hello there \w+ \w+$/);
    expect(await text({ prompt: ids, max_tokens: 2 })).toMatch(/^Hello there \w+ \w+$/);
  });

  it("returns token ids on demand, and log probabilities for every token", async () => {
    const body = { prompt: "Hello there", max_tokens: 3, return_token_ids: true, logprobs: 2 };
    const [choice] = (await post(engine(), COMPLETIONS, body)).json.choices;
    expect(choice!.token_ids).toHaveLength(3);
    expect(choice!.prompt_token_ids).toHaveLength(2);
    expect(choice!.logprobs.tokens.join("")).toBe(choice!.text);
    expect(choice!.logprobs.token_logprobs.every((logprob) => logprob < 0)).toBe(true);

    const messages = [{ role: "user", content: "a" }];
    const chat = { messages, max_tokens: 3, logprobs: true, top_logprobs: 2 };
    const content = (await post(engine(), CHAT, chat)).json.choices[0]!.logprobs.content;
    expect(content).toHaveLength(3);
    expect(content[0]!.top_logprobs).toHaveLength(2);
  });

  it.each([
    [COMPLETIONS, { prompt: "Hello there" }],
    [CHAT, { messages: [{ role: "user", content: "Hello" }] }],
  ])(
    "returns the ids of every event of a stream on demand, and the prompt's once: %s",
    async (path, prompt) => {
      const body = { ...prompt, max_tokens: 5, return_token_ids: true };
      const whole = (await post(engine(), path, body)).json;
      const chunks = events((await post(engine(), path, { ...body, stream: true })).text);
      // Chat begins with a chunk that has a role and no token.
      const withIds = chunks.filter(({ choices }) => "token_ids" in choices[0]!);
      expect(withIds.flatMap(({ choices }) => choices[0]!.token_ids)).toEqual(whole.choices[0]!.token_ids);
      // Completions have the prompt's ids with the choice, chat with the answer.
      const promptIds = (document: unknown) => {
        const { prompt_token_ids: ids, choices } = document as {
          prompt_token_ids?: unknown;
          choices: { prompt_token_ids?: unknown }[];
        };
        return ids ?? choices[0]?.prompt_token_ids ?? null;
      };
      expect(promptIds(whole)).toBeInstanceOf(Array);
      expect(chunks.map(promptIds)).toEqual([promptIds(whole), ...chunks.slice(1).map(() => null)]);
    },
  );

  it("streams a completion of several choices, each with its own finish reason", async () => {
    const reply = await post(engine(), COMPLETIONS, { prompt: "a", n: 3, max_tokens: 4, stream: true });
    expect(reply.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(reply.text.endsWith("data: [DONE]\n\n")).toBe(true);
    for (const index of [0, 1, 2]) {
      const own = events(reply.text).filter(({ choices }) => choices[0]!.index === index);
      expect(own.map(({ choices }) => choices[0]!.finish_reason)).toEqual([null, null, null, "length"]);
    }
  });

  it("puts usage into every chunk on demand, and into a last chunk of its own", async () => {
    const stream_options = { include_usage: true, continuous_usage_stats: true };
    const reply = await post(engine(), COMPLETIONS, {
      prompt: "a",
      max_tokens: 3,
      stream: true,
      stream_options,
    });
    const chunks = events(reply.text);
    expect(chunks.map(({ usage }) => usage.completion_tokens)).toEqual([1, 2, 3, 3]);
    expect(chunks.at(-1)!.choices).toEqual([]);
  });

  it("sends no usage in a stream that does not ask for it", async () => {
    const reply = await post(engine(), COMPLETIONS, { prompt: "a", max_tokens: 3, stream: true });
    expect(events(reply.text).some((chunk) => "usage" in chunk)).toBe(false);
  });

  it("takes token ids in and gives token ids out, whole and streamed", async () => {
    const body = { token_ids: freshIds(40), sampling_params: { max_tokens: 4 }, model: "Llama-3.1-8B" };
    const whole = (await post(engine(), GENERATE, body, { "x-request-id": "abc" })).json;
    expect(whole.request_id).toBe("generate-tokens-abc");
    expect(whole.usage).toMatchObject({ prompt_tokens: 40, completion_tokens: 4 });
    const streamed = events((await post(engine(), GENERATE, { ...body, stream: true })).text);
    expect(streamed.flatMap(({ choices }) => choices[0]!.token_ids)).toEqual(whole.choices[0]!.token_ids);
  });

  it("names the answer after the request id of the header, and sends it back", async () => {
    const reply = await post(
      engine(),
      COMPLETIONS,
      { prompt: "a", request_id: "body" },
      { "x-request-id": "head" },
    );
    expect(reply.json.id).toBe("cmpl-head");
    expect(reply.headers.get("x-request-id")).toBe("head");
    expect((await post(engine(), COMPLETIONS, { prompt: "a", request_id: "body" })).json.id).toBe(
      "cmpl-body",
    );
  });

  it("finds the output of one turn cached in the next, because it is part of the prompt then", async () => {
    const first = { role: "user", content: "word ".repeat(200) };
    const body = { messages: [first], max_tokens: 64 };
    const answer = (await post(engine(), CHAT, body)).json;
    const { content } = answer.choices[0]!.message;
    const messages = [first, { role: "assistant", content }, { role: "user", content: "And then?" }];
    const next = (await post(engine(), CHAT, { messages, max_tokens: 2 })).json;
    const cached = next.usage.prompt_tokens_details!.cached_tokens;
    expect(cached).toBeGreaterThan(answer.usage.prompt_tokens + 40);
  });

  it("keeps prefixes of other cache salts apart", async () => {
    const prompt = freshIds(100);
    const cached = async (cache_salt: string): Promise<number> => {
      const { json } = await post(engine(), COMPLETIONS, { prompt, cache_salt, max_tokens: 1 });
      return json.usage.prompt_tokens_details?.cached_tokens ?? 0;
    };
    expect(await cached("one")).toBe(0);
    expect(await cached("one")).toBe(96);
    expect(await cached("two")).toBe(0);
  });

  it("answers at once when less of the prompt is cached than cache_hit_threshold asks for", async () => {
    const prompt = freshIds(160);
    const body = { prompt, max_tokens: 2, cache_hit_threshold: 0.9 };
    const cold = (await post(engine(), COMPLETIONS, body)).json;
    expect(cold.choices[0]).toMatchObject({ text: "", finish_reason: "cache_threshold" });
    await post(engine(), COMPLETIONS, { prompt, max_tokens: 2, cache_hit_threshold: 0 });
    const warm = (await post(engine(), COMPLETIONS, body)).json;
    expect(warm.choices[0]!.finish_reason).toBe("length");
    const streamed = events(
      (await post(engine(), COMPLETIONS, { ...body, prompt: freshIds(160), stream: true })).text,
    );
    expect(streamed.map(({ choices }) => choices[0]!.finish_reason)).toEqual(["cache_threshold"]);
  });
});
