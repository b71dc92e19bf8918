import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MockFleet } from "../../../mock-engines/start-mock-engines.js";
import { decodeOf, get, post, startFleet } from "../fleet.js";

const COMPLETIONS = "/v1/completions";
const CHAT = "/v1/chat/completions";
const GENERATE = "/inference/v1/generate";
const messages = [{ role: "user", content: "Hello" }];

describe("requests that vLLM refuses", () => {
  let fleet: MockFleet;
  const engine = () => decodeOf(fleet);

  beforeAll(async () => {
    fleet = await startFleet({ settings: { "engine.max_model_len": 1000, "engine.num_gpu_blocks": 50 } });
  });

  afterAll(() => fleet.close());

  it.each([
    ["no prompt", COMPLETIONS, {}, "prompt", "Either prompt or prompt_embeds must be provided"],
    ["an empty prompt", COMPLETIONS, { prompt: "" }, "prompt", "Either prompt or prompt_embeds"],
    ["an empty batch", COMPLETIONS, { prompt: [] }, "prompt", "at least one prompt"],
    ["an empty list of ids", COMPLETIONS, { prompt: [[]] }, null, "cannot be empty"],
    ["a prompt that is a number", COMPLETIONS, { prompt: 5 }, "prompt", "string_type"],
    ["texts and ids mixed", COMPLETIONS, { prompt: ["a", 1] }, "prompt", "string_type"],
    ["an id that is no whole number", COMPLETIONS, { prompt: [1, 2.5] }, "prompt.1", "int_type"],
    ["a negative id", COMPLETIONS, { prompt: [1, -2] }, "prompt.1", "greater_than_equal"],
    ["an id outside the vocabulary", COMPLETIONS, { prompt: [2 ** 31 - 1] }, null, "out of vocabulary"],
    [
      "max_tokens that is no number",
      COMPLETIONS,
      { prompt: "a", max_tokens: "many" },
      "max_tokens",
      "int_parsing",
    ],
    [
      "max_tokens with a fraction",
      COMPLETIONS,
      { prompt: "a", max_tokens: 1.5 },
      "max_tokens",
      "int_from_float",
    ],
    [
      "max_tokens of 0",
      COMPLETIONS,
      { prompt: "a", max_tokens: 0 },
      "max_tokens",
      "max_tokens must be at least 1, got 0.",
    ],
    [
      "negative min_tokens",
      COMPLETIONS,
      { prompt: "a", min_tokens: -1 },
      "min_tokens",
      "greater than or equal to 0",
    ],
    [
      "min_tokens above max_tokens",
      COMPLETIONS,
      { prompt: "a", max_tokens: 1, min_tokens: 2 },
      "min_tokens",
      "min_tokens must be less than or equal to max_tokens=1, got 2.",
    ],
    [
      "min_tokens above the default of 16",
      COMPLETIONS,
      { prompt: "a", min_tokens: 17 },
      "min_tokens",
      "max_tokens=16",
    ],
    ["n of 0", COMPLETIONS, { prompt: "a", n: 0 }, "n", "n must be at least 1"],
    ["n above 1 without chance", COMPLETIONS, { prompt: "a", n: 2, temperature: 0 }, "n", "greedy sampling"],
    [
      "a negative temperature",
      COMPLETIONS,
      { prompt: "a", temperature: -0.1 },
      "temperature",
      "non-negative",
    ],
    ["top_p of 0", COMPLETIONS, { prompt: "a", top_p: 0 }, "top_p", "(0, 1]"],
    ["top_k of -2", COMPLETIONS, { prompt: "a", top_k: -2 }, "top_k", "top_k must be 0"],
    ["min_p above 1", COMPLETIONS, { prompt: "a", min_p: 1.1 }, "min_p", "[0, 1]"],
    ["a penalty above 2", COMPLETIONS, { prompt: "a", presence_penalty: 2.1 }, "presence_penalty", "[-2, 2]"],
    [
      "no repetition penalty at all",
      COMPLETIONS,
      { prompt: "a", repetition_penalty: 0 },
      "repetition_penalty",
      "zero",
    ],
    ["too many logprobs", COMPLETIONS, { prompt: "a", logprobs: 21 }, "logprobs", "max allowed: 20"],
    ["an empty stop string", COMPLETIONS, { prompt: "a", stop: ["x", ""] }, "stop", "empty string"],
    [
      "a stop token that is no id",
      COMPLETIONS,
      { prompt: "a", stop_token_ids: ["x"] },
      null,
      "only integers",
    ],
    ["stream that is no flag", COMPLETIONS, { prompt: "a", stream: "perhaps" }, "stream", "bool_parsing"],
    [
      "stream options without a stream",
      COMPLETIONS,
      { prompt: "a", stream_options: { include_usage: true } },
      "stream_options",
      "Stream options can only be defined when `stream=True`.",
    ],
    ["a model that is no text", COMPLETIONS, { prompt: "a", model: 3 }, "model", "string_type"],
    [
      "kv_transfer_params that are no object",
      COMPLETIONS,
      { prompt: "a", kv_transfer_params: 1 },
      "kv_transfer_params",
      "dict_type",
    ],
    [
      "a disagg_spec without a port",
      COMPLETIONS,
      { prompt: "a", kv_transfer_params: { disagg_spec: { req_id: "r" } } },
      "kv_transfer_params",
      "receiver_init_port",
    ],
    ["no messages", CHAT, {}, "messages", "Field required"],
    ["an empty conversation", CHAT, { messages: [] }, "messages", "must not be empty"],
    ["a message that is a text", CHAT, { messages: ["hi"] }, "messages.0", "dict_type"],
    [
      "a message without a role",
      CHAT,
      { messages: [{ content: "hi" }] },
      "messages.0.role",
      "Field required",
    ],
    [
      "content that is a number",
      CHAT,
      { messages: [{ role: "user", content: 3 }] },
      "messages.0.content",
      "string_type",
    ],
    [
      "an image for a text model",
      CHAT,
      { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "x" } }] }] },
      "messages.0.content.0",
      "At most 0 image(s)",
    ],
    [
      "top_logprobs without logprobs",
      CHAT,
      { messages, top_logprobs: 2 },
      "top_logprobs",
      "`logprobs` must be set",
    ],
    ["no token ids", GENERATE, { sampling_params: {} }, "token_ids", "Field required"],
    ["no sampling params", GENERATE, { token_ids: [1] }, "sampling_params", "Field required"],
    [
      "token ids that are a text",
      GENERATE,
      { token_ids: "a", sampling_params: {} },
      "token_ids",
      "list_type",
    ],
    [
      "sampling params that contradict each other",
      GENERATE,
      { token_ids: [1], sampling_params: { max_tokens: 1, min_tokens: 5 } },
      "min_tokens",
      "max_tokens=1",
    ],
  ])("%s (%s)", async (_what, path, body, param, message) => {
    const { status, json } = await post(engine(), path, body);
    expect(status).toBe(400);
    expect(json.error).toMatchObject({ param, code: 400 });
    expect(json.error.message).toContain(message);
  });

  it.each([
    [
      "prompt and output that do not fit together",
      { prompt: Array(900).fill(1), max_tokens: 101 },
      "for a total of at least 1001 tokens",
      "input_tokens",
    ],
    [
      "a prompt that leaves no room",
      { prompt: Array(1000).fill(1), max_tokens: 1 },
      "maximum context length is 1000",
      "input_tokens",
    ],
    [
      "max_tokens beyond the context",
      { prompt: "a", max_tokens: 1001 },
      "max_tokens=1001 cannot be greater than max_model_len=1000",
      "max_tokens",
    ],
    [
      "more KV than the engine has",
      { prompt: Array(790).fill(1), max_tokens: 20 },
      "need 51 blocks, the engine has 49",
      null,
    ],
  ])("%s", async (_what, body, message, param) => {
    const { status, json } = await post(engine(), COMPLETIONS, body);
    expect(status).toBe(400);
    expect(json.error).toMatchObject({ type: "BadRequestError", param });
    expect(json.error.message).toContain(message);
  });

  it("accepts prompt and output that fill the context exactly", async () => {
    const { status } = await post(engine(), COMPLETIONS, { prompt: Array(765).fill(1), max_tokens: 4 });
    expect(status).toBe(200);
  });

  it.each([
    ["text", "hello", "json_invalid"],
    ["a list", "[]", "model_attributes_type"],
    ["nothing", "", "json_invalid"],
  ])("answers a body that is %s with 400", async (_what, body, message) => {
    const { status, json } = await post(engine(), COMPLETIONS, body);
    expect(status).toBe(400);
    expect(json.error.message).toContain(message);
  });

  it("answers a body that is not announced as JSON with 400", async () => {
    const { status, json } = await post(
      engine(),
      COMPLETIONS,
      { prompt: "a" },
      { "content-type": "text/plain" },
    );
    expect(status).toBe(400);
    expect(json.error.message).toContain("Unsupported Media Type");
  });

  it("answers for a model that is not served with 404, before it looks at the sampling", async () => {
    const { status, json } = await post(engine(), COMPLETIONS, { prompt: "a", model: "x", max_tokens: 0 });
    expect(status).toBe(404);
    expect(json.error).toEqual({
      message: "The model `x` does not exist.",
      type: "NotFoundError",
      param: "model",
      code: 404,
    });
  });

  it("answers for an unknown path with 404 and for a wrong method with 405", async () => {
    expect((await get(engine(), "/get_server_info")).status).toBe(404);
    const wrong = await get(engine(), COMPLETIONS);
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get("allow")).toBe("POST");
    expect(wrong.json.error).toMatchObject({ message: "Method Not Allowed", code: 405 });
  });

  it("reads numbers and flags that come as text, as pydantic does", async () => {
    const { status, json } = await post(engine(), COMPLETIONS, {
      prompt: "a",
      max_tokens: "3",
      stream: "false",
    });
    expect(status).toBe(200);
    expect(json.usage.completion_tokens).toBe(3);
  });

  it("leaves nothing behind", () => {
    expect(engine().state().serverLoad).toBe(0);
    expect(engine().state().ranks[0]!.openLegs).toBe(0);
  });
});
