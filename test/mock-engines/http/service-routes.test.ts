import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MockFleet } from "../../../mock-engines/start-mock-engines.js";
import { decodeOf, freshIds, get, post, startFleet, until } from "../fleet.js";

describe("vLLM's routes besides generation", () => {
  let fleet: MockFleet;
  const engine = () => decodeOf(fleet);

  beforeAll(async () => {
    fleet = await startFleet();
  });

  afterAll(() => fleet.close());

  it.each([["GET /health"], ["GET /ping"], ["POST /ping"]])("%s answers 200 with nothing", async (route) => {
    const [method, path] = route.split(" ");
    const response = await fetch(`${engine().url}${path!}`, { method: method! });
    expect([response.status, await response.text()]).toEqual([200, ""]);
  });

  it("tell the version of the release whose rules apply", async () => {
    expect((await get(engine(), "/version")).json).toEqual({ version: "main-2026-08" });
  });

  it("count the requests under way", async () => {
    expect((await get(engine(), "/load")).json).toEqual({ server_load: 0 });
    const open = post(engine(), "/v1/completions", { prompt: "a", max_tokens: 2000 });
    await until(() => engine().state().serverLoad === 1);
    expect((await get(engine(), "/load")).json).toEqual({ server_load: 1 });
    await open;
    expect((await get(engine(), "/load")).json).toEqual({ server_load: 0 });
  });

  it("turn texts and chats into tokens, and tokens into text", async () => {
    const { json } = await post(engine(), "/tokenize", { prompt: "Hello there", return_token_strs: true });
    expect(json).toMatchObject({ count: 2, max_model_len: 131_072, token_strs: ["Hello", " there"] });
    const back = await post(engine(), "/detokenize", { tokens: json.tokens });
    expect(back.json).toEqual({ prompt: "Hello there" });
    const chat = await post(engine(), "/tokenize", { messages: [{ role: "user", content: "Hello there" }] });
    const text = (await post(engine(), "/detokenize", { tokens: chat.json.tokens })).json.prompt;
    expect(text).toBe("<|im_start|>user\nHello there<|im_end|>\n<|im_start|>assistant\n");
  });

  it.each([
    ["/tokenize", {}, "prompt"],
    ["/detokenize", {}, "tokens"],
    ["/detokenize", { tokens: ["x"] }, "tokens.0"],
    ["/tokenize", { prompt: "a", model: "x" }, "model"],
  ])("refuse %s with %j", async (path, body, param) => {
    const { status, json } = await post(engine(), path, body);
    expect(status).toBe(param === "model" ? 404 : 400);
    expect(json.error.param).toBe(param);
  });

  it("load, list, serve and unload LoRA adapters", async () => {
    const load = await post(engine(), "/v1/load_lora_adapter", { lora_name: "sql", lora_path: "/loras/sql" });
    expect([load.status, load.text]).toEqual([200, "Success: LoRA adapter 'sql' added successfully."]);
    const models = (await get(engine(), "/v1/models")).json.data;
    expect(models.map(({ id, parent }) => [id, parent])).toEqual([
      ["Llama-3.1-8B", null],
      ["sql", "Llama-3.1-8B"],
    ]);
    const prompt = freshIds(100);
    await post(engine(), "/v1/completions", { prompt, max_tokens: 1 });
    const adapted = await post(engine(), "/v1/completions", { prompt, max_tokens: 1, model: "sql" });
    expect(adapted.json.model).toBe("sql");
    // KV of the base model is not that of the adapter.
    expect(adapted.json.usage.prompt_tokens_details).toBeUndefined();
    const unload = await post(engine(), "/v1/unload_lora_adapter", { lora_name: "sql" });
    expect(unload.text).toBe("Success: LoRA adapter 'sql' removed successfully.");
    expect((await post(engine(), "/v1/completions", { prompt, model: "sql" })).status).toBe(404);
  });

  it.each([
    ["/v1/load_lora_adapter", {}, 400, "Both 'lora_name' and 'lora_path' must be provided."],
    ["/v1/load_lora_adapter", { lora_name: "a" }, 400, "Both 'lora_name' and 'lora_path'"],
    ["/v1/load_lora_adapter", { lora_name: "", lora_path: "b" }, 400, "Both 'lora_name' and 'lora_path'"],
    ["/v1/unload_lora_adapter", {}, 400, "'lora_name' needs to be provided"],
    ["/v1/unload_lora_adapter", { lora_name: "x" }, 404, "The lora adapter 'x' cannot be found."],
  ])("refuse %s with %j", async (path, body, status, message) => {
    const reply = await post(engine(), path, body);
    expect(reply.status).toBe(status);
    expect(reply.json.error.message).toContain(message);
  });

  it("refuse to load an adapter twice, unless in place", async () => {
    const adapter = { lora_name: "twice", lora_path: "p" };
    await post(engine(), "/v1/load_lora_adapter", adapter);
    expect((await post(engine(), "/v1/load_lora_adapter", adapter)).status).toBe(400);
    expect((await post(engine(), "/v1/load_lora_adapter", { ...adapter, load_inplace: true })).status).toBe(
      200,
    );
  });

  it("put the engine to sleep: KV is given up, requests wait until it wakes", async () => {
    const prompt = freshIds(100);
    await post(engine(), "/v1/completions", { prompt, max_tokens: 1 });
    await post(engine(), "/sleep?level=1", {});
    expect((await get(engine(), "/is_sleeping")).json).toEqual({ is_sleeping: true });
    const waiting = post(engine(), "/v1/completions", { prompt, max_tokens: 1 });
    await until(() => engine().state().serverLoad === 1);
    expect(engine().state().ranks[0]!.openLegs).toBe(0);
    await post(engine(), "/wake_up", {});
    const { status, json } = await waiting;
    expect(status).toBe(200);
    expect(json.usage.prompt_tokens_details).toBeUndefined();
    expect((await get(engine(), "/is_sleeping")).json).toEqual({ is_sleeping: false });
  });

  it("end open requests when the engine is put to sleep", async () => {
    const open = post(engine(), "/v1/completions", { prompt: "a", max_tokens: 50_000 });
    await until(() => engine().state().ranks[0]!.running === 1);
    await post(engine(), "/sleep", {});
    expect((await open).status).toBe(503);
    await post(engine(), "/wake_up", {});
  });

  it("empty the prefix cache, but not under requests", async () => {
    const prompt = freshIds(100);
    await post(engine(), "/v1/completions", { prompt, max_tokens: 1 });
    expect((await post(engine(), "/reset_prefix_cache", {})).status).toBe(200);
    const { json } = await post(engine(), "/v1/completions", { prompt, max_tokens: 1 });
    expect(json.usage.prompt_tokens_details).toBeUndefined();
    const open = post(engine(), "/v1/completions", { prompt: "a", max_tokens: 2000 });
    await until(() => engine().state().serverLoad === 1);
    expect((await post(engine(), "/reset_prefix_cache", {})).status).toBe(409);
    await open;
  });
});
