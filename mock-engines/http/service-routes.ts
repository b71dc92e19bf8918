import { ApiError } from "./api-error.js";
import { flag, list, missing, text, tokenIds, type Body } from "./body-fields.js";
import { chatPrompt } from "./chat-prompt.js";
import { jsonBody, type HttpCall, type Routes } from "./http-server.js";
import { sendJson } from "../generation.js";
import type { MockEngine } from "../mock-engine.js";

/** vLLM's routes besides generation. */
export function serviceRoutes(engine: MockEngine): Routes {
  const { setup, models, gate } = engine;
  return {
    "GET /v1/models": (call) => json(call, models.list()),
    "POST /v1/load_lora_adapter": (call) => plain(call, models.load(jsonBody(call))),
    "POST /v1/unload_lora_adapter": (call) => plain(call, models.unload(jsonBody(call))),
    "POST /tokenize": (call) => json(call, tokenize(engine, jsonBody(call))),
    "POST /detokenize": (call) => json(call, detokenize(engine, jsonBody(call))),
    "GET /health": empty,
    "GET /ping": empty,
    "POST /ping": empty,
    "GET /version": (call) => json(call, { version: setup.version }),
    "GET /load": (call) => json(call, { server_load: engine.serverLoad }),
    "GET /metrics": (call) => metrics(engine, call),
    "POST /sleep": (call) => {
      engine.sleep();
      empty(call);
    },
    "POST /wake_up": (call) => {
      gate.open();
      empty(call);
    },
    "GET /is_sleeping": (call) => json(call, { is_sleeping: gate.isClosed }),
    "POST /reset_prefix_cache": (call) => {
      if (engine.serverLoad > 0)
        throw new ApiError(409, "Requests are running: their KV cannot be given up.");
      engine.forgetKv(new ApiError(500, "The prefix cache has been reset."));
      empty(call);
    },
  };
}

function tokenize(engine: MockEngine, body: Body): object {
  const { tokenizer, worker } = engine.setup;
  engine.models.resolve(text(body, "model"));
  const tokens = promptOf(engine, body);
  return {
    count: tokens.length,
    max_model_len: worker.engine.maxModelLen,
    tokens,
    token_strs: flag(body, "return_token_strs") ? tokens.map((id) => tokenizer.tokenText(id)) : null,
  };
}

/** A text under `prompt`, or a chat under `messages`. */
function promptOf(engine: MockEngine, body: Body): number[] {
  const { tokenizer } = engine.setup;
  if (list(body, "messages") !== null) return chatPrompt(body, tokenizer);
  const prompt = text(body, "prompt");
  if (prompt === null) throw missing("prompt");
  return tokenizer.encode(prompt, flag(body, "add_special_tokens", true));
}

function detokenize(engine: MockEngine, body: Body): object {
  const { tokenizer } = engine.setup;
  engine.models.resolve(text(body, "model"));
  if ((body["tokens"] ?? null) === null) throw missing("tokens");
  const tokens = tokenIds(body["tokens"], "tokens");
  const foreign = tokens.find((id) => id >= tokenizer.vocabularySize);
  if (foreign !== undefined) throw new ApiError(400, `Token id ${foreign} is out of vocabulary`, "tokens");
  return { prompt: tokenizer.decode(tokens) };
}

async function metrics(engine: MockEngine, { response }: HttpCall): Promise<void> {
  const running = new Set<string>();
  const waiting = new Set<string>();
  for (const rank of engine.ranks) {
    rank.updateMetrics();
    const adapters = rank.adapters();
    for (const name of adapters.running) running.add(name);
    for (const name of adapters.waiting) waiting.add(name);
  }
  engine.metrics.setLoras(engine.models.loraCount, [...running].sort(), [...waiting].sort());
  const body = await engine.metrics.text(engine.knobs.metrics_dialect);
  response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
  response.end(body);
}

function json({ response }: HttpCall, value: object): void {
  sendJson(response, 200, JSON.stringify(value));
}

function plain({ response }: HttpCall, message: string): void {
  response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
  response.end(message);
}

function empty({ response }: HttpCall): void {
  response.writeHead(200, { "content-length": 0 });
  response.end();
}
